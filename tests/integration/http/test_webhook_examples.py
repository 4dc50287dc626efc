"""The examples of `docs/webhooks.md`: endpoints take what their senders send, scripts run."""

from __future__ import annotations

import base64
import re
import subprocess
from pathlib import Path
from typing import Final

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ductile.config.endpoints import EndpointSettings
from ductile.config.loader import load_settings
from ductile.config.signatures import DiscordSignature, StandardSignature
from ductile.http.webhooks.build import build_endpoint
from ductile.http.webhooks.discord import Discord
from ductile.http.webhooks.signature import Scheme
from ductile.http.webhooks.standard import StandardWebhooks
from ductile.model.clock import SystemClock
from tests.house.repository import ROOT
from tests.integration.http.conftest import House

PAGE: Final = (ROOT / "docs" / "webhooks.md").read_text(encoding="utf-8")
BLOCKS: Final = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
SCRIPTS: Final = [text for language, text in BLOCKS if language == "sh"]
CLOCK: Final = SystemClock()
#: Its public half is on the page: that of the specification's own example.
PRIVATE_KEY: Final = Ed25519PrivateKey.from_private_bytes(
    base64.b64decode("6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbc=")
)
VARIABLES: Final = {
    # In base64, as some senders want it.
    name: "whsec_c2VjcmV0IGVub3VnaA=="
    for name in re.findall(r"\$\{(\w+)\}", PAGE)
} | {"DISCORD_PUBLIC_KEY": PRIVATE_KEY.public_key().public_bytes_raw().hex()}


def endpoints(folder: Path) -> dict[str, EndpointSettings]:
    """Every endpoint of the page, by its name."""
    found: dict[str, EndpointSettings] = {}
    for language, text in BLOCKS:
        if language == "yaml":
            (folder / "config.yaml").write_text(text)
            settings, _, _ = load_settings(folder, {"HOME": "/", **VARIABLES})
            assert settings is not None, text
            found |= {each.name: each for each in settings.webhooks}
    return found


def sender(settings: EndpointSettings) -> Scheme:
    """What signs as the sender does, where that takes a private key as well."""
    match settings.signature:
        case DiscordSignature(public_key=keys):
            return Discord(*keys, clock=CLOCK, private_key=PRIVATE_KEY)
        case StandardSignature(public_key=keys) if keys:
            return StandardWebhooks(clock=CLOCK, public_keys=keys, private_key=PRIVATE_KEY)
    return build_endpoint(settings, CLOCK).scheme


@pytest.mark.parametrize("name", sorted(set(re.findall(r"- name: ([\w-]+)", PAGE))))
def test_an_endpoint_of_the_page_takes_what_its_sender_sends(
    house: House, tmp_path: Path, name: str
) -> None:
    settings = endpoints(tmp_path)[name]
    house.open([build_endpoint(settings, CLOCK)])
    signed = sender(settings).sign(b'{"id": "1"}', delivery_id="d-1")
    headers = {key.decode(): value.decode() for key, value in signed}
    headers |= {settings.says_event: "push"} if settings.says_event else {}
    answer = house.client.post(f"/webhooks/{name}", b'{"id": "1"}', headers)
    assert answer.status in (200, 202)
    [trigger] = house.intake.triggers
    assert (trigger.payload, trigger.source) == ({"id": "1"}, name)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda text: text.rpartition("/")[2].strip())
def test_a_script_of_the_page_sends_what_is_taken(
    house: House, tmp_path: Path, script: str
) -> None:
    house.open([build_endpoint(each, CLOCK) for each in endpoints(tmp_path).values()])
    host, port = house.client.address
    done = subprocess.run(
        ["sh", "-euc", script.replace("127.0.0.1:8080", f"{host}:{port}")],
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", **VARIABLES},
        capture_output=True,
        text=True,
        timeout=50,
    )
    assert done.returncode == 0, done.stderr
    assert re.match(r"HTTP/1\.1 20[02] ", done.stdout), done.stdout
    assert len(house.intake.triggers) == 1


def test_every_scheme_has_an_example_on_the_page(tmp_path: Path) -> None:
    shown = {each.signature.scheme for each in endpoints(tmp_path).values()}
    assert shown == {
        *("github", "stripe", "slack", "discord", "standard-webhooks", "shopify", "gitlab"),
        *("hmac-sha256", "hmac-sha512", "none"),
    }
