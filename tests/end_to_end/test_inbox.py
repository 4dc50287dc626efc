"""`ductile inbox`: deliveries looked at, sent again, and made without their sender."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.support.process import Ended, run
from tests.support.scripts import OK
from tests.support.site import Running, Site
from tests.support.terminal import ductile

SECRET: Final = "a secret for tests"
KEY: Final = Ed25519PrivateKey.generate()
PUBLIC: Final = KEY.public_key().public_bytes_raw()
#: A body for each scheme; of some, the id of the delivery is in it.
BODIES: Final = {
    "discord": {"id": "1", "type": 2},
    "slack": {"event_id": "Ev1", "type": "event_callback"},
    "stripe": {"id": "evt_1", "type": "charge.succeeded"},
}
SIGNATURES: Final[dict[str, dict[str, Any]]] = {
    "github": {"secret": SECRET},
    "stripe": {"secret": SECRET},
    "slack": {"secret": SECRET},
    "discord": {"public_key": PUBLIC.hex()},
    "standard-webhooks": {"secret": "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"},
    "gitlab": {"secret": SECRET},
    "shopify": {"secret": SECRET},
    "hmac-sha256": {"secret": SECRET, "id_header": "X-Delivery"},
    "hmac-sha512": {"secret": SECRET, "id_header": "X-Delivery"},
    "none": {"accept_unsigned": True},
}


@dataclass(frozen=True)
class House:
    """A gateway with an endpoint for each scheme, and commands beside it."""

    site: Site
    running: Running
    key: Path

    def inbox(self, *arguments: str) -> Ended:
        """A command in this process, where it cannot tell that a gateway runs here too."""
        return ductile("--config", str(self.site.root / "config"), "inbox", *arguments)

    def resend(self, delivery_id: str, *arguments: str) -> Ended:
        """Hands something to the gateway, and so has to see that there is one."""
        config = str(self.site.root / "config")
        return run("--config", config, "inbox", "resend", delivery_id, *arguments)

    def json(self, *arguments: str) -> Any:
        ended = self.inbox(*arguments, "--json")
        assert ended.code == 0, ended.text
        return json.loads(ended.output)

    def simulate(self, endpoint: str, *arguments: str) -> Ended:
        body = self.site.root / "body.json"
        body.write_text(json.dumps(BODIES.get(endpoint, {"a": 1})))
        key = ("--signing-key", str(self.key)) if endpoint == "discord" else ()
        return self.inbox("simulate", endpoint, "--body", str(body), *key, *arguments)

    def deliveries(self) -> list[dict[str, Any]]:
        """All of them, the newest first."""
        return list(self.json("list")["deliveries"])


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    root = tmp_path_factory.mktemp("inbox")
    site = Site(root)
    site.plugin("mailer", OK)
    site.pipeline("- {name: deliver, on: letter.written, steps: [{uses: mailer}]}")
    site.config["service"] = {"watch": False}
    site.config["webhooks"] = {
        "endpoints": [
            {"name": name, "event": "letter.written", "signature": {"scheme": name, **fields}}
            for name, fields in SIGNATURES.items()
        ]
        + [
            {
                "name": "hub",
                "event": "hub.{event}",
                "signature": {"scheme": "github", "secret": SECRET},
            }
        ]
    }
    key = root / "key.pem"
    key.write_bytes(KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with site.running(doors=True) as running:
        # Any port was free; the commands have to know which one it became.
        site.config["http"] = {"listen": "{}:{}".format(*running.gateway.address)}
        site.write()
        yield House(site, running, key)


@pytest.mark.parametrize("scheme", SIGNATURES)
def test_a_simulated_delivery_is_accepted_as_the_senders_own(house: House, scheme: str) -> None:
    ended = house.simulate(scheme)
    assert ended.code == 0, ended.text
    newest = house.deliveries()[0]
    assert f"x-ductile-event-id: {newest['event_id']}" in ended.output
    assert (newest["scheme"], newest["verdict"]) == (scheme, "accepted")
    assert newest["status"] == int(ended.output[:3])
    assert SECRET not in str(newest)


def test_a_second_one_with_its_id_gets_the_same_answer_and_starts_nothing(house: House) -> None:
    first, second = (house.simulate("github", "--delivery-id", "twice") for _ in range(2))
    assert first.output == second.output
    newest, before = house.deliveries()[:2]
    assert (newest["verdict"], before["verdict"]) == ("repeated", "accepted")
    assert newest["event_id"] == before["event_id"]
    assert newest["delivery_id"] == before["delivery_id"] == "twice"


def test_one_that_is_refused_says_so_and_why(house: House) -> None:
    ended = house.simulate("github", "--header", "X-Hub-Signature-256: sha256=" + 64 * "0")
    assert ended.code == 1
    assert ended.output.startswith("401 ")
    # Its sender did not wait until it was listed; this one does, and is written after it.
    assert house.simulate("gitlab").code == 0
    [newest] = house.json("list", "--verdict", "refused", "--limit", "1")["deliveries"]
    assert newest["reason"] == "the signature is not that of this body with this key"
    shown = house.inbox("show", newest["id"]).output
    assert "refused, answered with 401" in shown
    ended = house.resend(newest["id"])
    assert ended.code == 2
    assert "Nothing of its body was kept" in ended.text


def test_what_is_resent_is_a_new_event_of_the_same_kind(house: House) -> None:
    house.simulate("gitlab")
    first = house.deliveries()[0]
    ended = house.resend(first["id"], "--json")
    assert ended.code == 0, ended.text
    chain = json.loads(ended.output)
    assert chain["event"]["id"] != first["event_id"]
    assert (chain["event"]["payload"], chain["event"]["source"]) == ({"a": 1}, "gitlab")
    assert [job["status"] for job in chain["jobs"]] == ["succeeded"]
    newest = house.deliveries()[0]
    assert (newest["verdict"], newest["event_id"]) == ("resent", chain["event"]["id"])
    assert newest["reason"] == f"resends {first['id']}"


def test_a_delivery_is_shown_with_its_chain(house: House) -> None:
    house.simulate("shopify")
    delivery = house.deliveries()[0]
    shown = house.json("show", delivery["id"])
    assert shown["delivery"] == delivery
    assert shown["chain"]["event"]["id"] == delivery["event_id"]
    text = house.inbox("show", delivery["id"]).output
    assert "shopify, signed as shopify" in text
    assert "deliver" in text


def test_lists_are_narrowed_and_paged(house: House) -> None:
    for _ in range(2):
        house.simulate("stripe")
    newest = house.json("list", "--endpoint", "stripe", "--limit", "1")["deliveries"]
    assert [each["verdict"] for each in newest] == ["repeated"]
    older = house.json("list", "--endpoint", "stripe", "--before", newest[0]["id"])["deliveries"]
    assert newest[0] not in older
    assert older[-1]["verdict"] == "accepted"
    assert newest[0]["id"] in house.inbox("list").output


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("show", "nothing"), 2, 'no delivery has the id "nothing"; "ductile inbox list"'),
        (("simulate", "githb", "--body", "/dev/null"), 2, 'did you mean "github"'),
        (("simulate", "github", "--body", "gone.json"), 2, '"gone.json" cannot be read'),
        (("simulate", "github", "--body", "/dev/null", "--header", "x"), 2, "expected NAME: VALUE"),
        (("simulate", "discord", "--body", "/dev/null"), 2, "expected a private key to sign"),
        (
            ("simulate", "github", "--body", "/dev/null", "--signing-key", "k"),
            2,
            "leave the option out",
        ),
        (
            ("simulate", "discord", "--body", "/dev/null", "--signing-key", "/dev/null"),
            2,
            "genpkey",
        ),
        (("simulate", "github", "--body", "/dev/null", "--delivery-id", "ü"), 2, "printable ASCII"),
    ],
)
def test_what_is_asked_wrongly_is_told(
    house: House, arguments: tuple[str, ...], code: int, message: str
) -> None:
    ended = house.inbox(*arguments)
    assert (ended.code, message in ended.text) == (code, True), ended.text


def test_without_a_gateway_there_is_no_answer(tmp_path: Path, house: House) -> None:
    site = Site(tmp_path, {**house.site.config, "http": {"listen": "127.0.0.1:1"}})
    for folder in ("plugins", "pipelines"):
        (tmp_path / "config").mkdir(exist_ok=True)
        (tmp_path / "config" / folder).symlink_to(house.site.root / "config" / folder)
    other = House(site, house.running, house.key)
    site.write()
    ended = other.simulate("github")
    assert ended.code == 1
    assert "no gateway answers on 127.0.0.1 port 1" in ended.text


def test_where_any_port_will_do_it_says_that_it_needs_one(tmp_path: Path, house: House) -> None:
    site = Site(tmp_path, {**house.site.config, "http": {"listen": "127.0.0.1:0"}})
    (tmp_path / "config").mkdir()
    for folder in ("plugins", "pipelines"):
        (tmp_path / "config" / folder).symlink_to(house.site.root / "config" / folder)
    site.write()
    ended = House(site, house.running, house.key).simulate("github")
    assert ended.code == 2
    assert "give it a port of its own" in ended.text


def test_a_simulated_delivery_says_what_has_happened_as_its_sender_would(house: House) -> None:
    ended = house.simulate("hub", "--header", "X-GitHub-Event: pull_request")
    assert ended.code == 0, ended.text
    chain = house.running.chain(house.deliveries()[0]["event_id"])
    assert [event.type for event in chain.records.events] == ["hub.pull_request"]


def test_one_that_does_not_say_it_is_not_sent(house: House) -> None:
    before = house.deliveries()
    ended = house.simulate("hub")
    assert ended.code == 2
    assert "say what has happened, with --header 'X-GitHub-Event: push'" in ended.text
    assert house.deliveries() == before
