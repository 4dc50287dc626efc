"""`ductile inbox`: what came to webhook endpoints, and trying them without their senders."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from ductile.cli.commands import Asked, Group, json_option, page_options
from ductile.cli.output import note, paint, say, say_json, width
from ductile.cli.render.chain import chain_tree
from ductile.cli.render.delivery import delivery_text
from ductile.cli.render.lists import delivery_table
from ductile.cli.session import ledger, usable_configuration
from ductile.cli.trigger import hand_in, read_wish, watch_options
from ductile.config.endpoints import EndpointSettings
from ductile.dispatch.inbox import resent
from ductile.documents.suggest import hint
from ductile.errors import NotFound, UsageError
from ductile.insights.shapes import chain_json, delivery_json
from ductile.model.clock import SystemClock
from ductile.model.delivery import Delivery, DeliveryVerdict
from ductile.model.ids import ChainId


@click.group(cls=Group)
def command() -> None:
    """The inbox: every delivery to a webhook endpoint, accepted or not."""


@command.command("list")
@click.option("--endpoint", metavar="NAME", help="Only deliveries to this endpoint.")
@click.option("--verdict", type=click.Choice([each.value for each in DeliveryVerdict]))
@page_options
@json_option
@click.pass_obj
def list_deliveries(
    asked: Asked,
    *,
    endpoint: str | None,
    verdict: str | None,
    before: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """Show deliveries, newest first.

    With --json: {"deliveries": […]}, each with the columns of delivery.
    """
    with ledger(asked) as opened:
        found = opened.insights.delivery_list(
            limit=limit,
            endpoint=endpoint,
            verdict=DeliveryVerdict(verdict) if verdict else None,
            before=opened.insights.delivery(before).id if before else None,
        )
    if as_json:
        say_json({"deliveries": [delivery_json(each) for each in found]})
    else:
        say(delivery_table(found, paint(), width=width()) if found else "no deliveries")


@command.command()
@click.argument("delivery_id", metavar="ID")
@json_option
@click.pass_obj
def show(asked: Asked, delivery_id: str, *, as_json: bool) -> None:
    """Show a delivery, and the chain that it started or repeats.

    With --json: {"delivery", "chain"}; the chain as by "ductile job inspect --json", or null.
    """
    with ledger(asked) as opened:
        delivery = opened.insights.delivery(delivery_id)
        event_id = delivery.event_id
        chain = None if event_id is None else opened.insights.chain(ChainId(event_id))
    if as_json:
        say_json({"delivery": delivery_json(delivery), "chain": chain and chain_json(chain)})
        return
    say(delivery_text(delivery, paint()))
    if chain is not None:
        say("")
        say(chain_tree(chain, paint(), width=width()))


@command.command()
@click.argument("delivery_id", metavar="ID")
@watch_options
@click.pass_obj
def resend(
    asked: Asked, delivery_id: str, *, wait: str | None, no_wait: bool, as_json: bool
) -> int:
    """Start the event of a delivery again, as a new event, and watch what follows.

    Type, payload and source are those of the first; pipelines and plugins are those of now.
    Exit code 1 if anything of it fails. With --json: as "ductile job inspect --json".
    """
    wish = read_wish(wait=wait, no_wait=no_wait, as_json=as_json)
    found = usable_configuration(asked)
    settings, _, _ = found.parts()
    with ledger(asked) as opened:
        delivery = opened.insights.delivery(delivery_id)
        if delivery.event_id is None:
            raise UsageError(_nothing_to_resend(delivery))
        event = opened.insights.chain(ChainId(delivery.event_id)).event
        now = opened.clock.now()
    plugin = _endpoint(settings.webhooks, delivery.endpoint).plugin
    note(f"resends event {event.id}, which delivery {delivery.id} brought")
    return hand_in(found, resent(delivery, event, plugin, now), wish)


@command.command()
@click.argument("endpoint")
@click.option(
    "--body",
    required=True,
    type=click.Path(path_type=Path, allow_dash=True),
    metavar="FILE",
    help='What the sender would send, byte by byte; "-" for stdin.',
)
@click.option(
    "--header",
    "headers",
    multiple=True,
    metavar="'NAME: VALUE'",
    help="One more header, or one instead of that which would be sent.",
)
@click.option(
    "--delivery-id",
    metavar="ID",
    help="What the sender calls it, where that is in a header; a new one if left out.",
)
@click.option(
    "--signing-key",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The private half, in PEM, of an Ed25519 public_key of the endpoint.",
)
@json_option
@click.pass_obj
def simulate(
    asked: Asked,
    *,
    endpoint: str,
    body: Path,
    headers: Sequence[str],
    delivery_id: str | None,
    signing_key: Path | None,
    as_json: bool,
) -> int:
    """Sign a body as the endpoint's sender would, and send it to the gateway that runs here.

    Shows the answer; exit code 1 unless its status is 2xx. The first key of the endpoint
    signs. With --json: {"status", "headers", "body"}.
    """
    # The schemes bring cryptography along, which nobody else here needs.
    from ductile.cli.simulation import Simulation, simulated

    settings, _, _ = usable_configuration(asked).parts()
    simulation = Simulation(body, headers, delivery_id, signing_key)
    found = _endpoint(settings.webhooks, endpoint)
    answer = simulated(found, settings.http, simulation, SystemClock())
    if as_json:
        say_json({"status": answer.status, "headers": answer.headers, "body": answer.body})
    else:
        say(answer.text)
    return 0 if answer.good else 1


def _endpoint(endpoints: Sequence[EndpointSettings], name: str) -> EndpointSettings:
    for each in endpoints:
        if each.name == name:
            return each
    remedy = hint(name, [each.name for each in endpoints])
    raise NotFound(
        f'no webhook endpoint named "{name}" is in config.yaml; '
        + (remedy or "write it under webhooks.endpoints")
    )


def _nothing_to_resend(delivery: Delivery) -> str:
    if delivery.verdict is DeliveryVerdict.HANDSHAKE:
        return (
            f"delivery {delivery.id} only asked whether somebody is there, and was answered; "
            "there is nothing to start"
        )
    return (
        f"delivery {delivery.id} was refused with {delivery.status}: {delivery.reason}. Nothing of "
        "its body was kept, so only its sender can send it again; mend the cause, and try the "
        f'endpoint with "ductile inbox simulate {delivery.endpoint}"'
    )
