"""Verifying in tests: the real verifier over the ledger and the workspaces of a gateway."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import apsw

from ductile.gateway.verification import make_verifier
from ductile.insights.integrity.findings import Verdict
from ductile.insights.integrity.verifier import Verifier
from ductile.model.clock import Clock, SystemClock
from tests.support.site import Chain, Running, Site


def verifier(running: Running, site: Site, clock: Clock | None = None) -> Verifier:
    """As the command line wires it."""
    settings, _, _ = site.read().parts()
    return make_verifier(settings, running.gateway.store, clock or SystemClock())


def verdict(running: Running, site: Site, chain: Chain, clock: Clock | None = None) -> Verdict:
    """What is said of a whole chain."""
    checked = verifier(running, site, clock)
    return checked.verify(checked.part(chain.records.chain_id))


def details(found: Verdict) -> str:
    """Everything that is said, for messages."""
    return "\n".join([*(str(each) for each in found.files), *(str(each) for each in found.ledger)])


@contextmanager
def forging(site: Site, *guards: str) -> Iterator[apsw.Connection]:
    """The database without these triggers and without foreign keys, as a forger has it."""
    connection = apsw.Connection(str(site.root / "data" / "ductile.db"))
    try:
        for guard in guards:
            connection.execute(f"DROP TRIGGER {guard}")
        yield connection
    finally:
        connection.close()
