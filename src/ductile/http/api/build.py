"""Builds the API's door, and loads what only it needs."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module

from ductile.http.api.door import ApiDoor
from ductile.http.api.guard import Guard
from ductile.http.api.parts import ApiParts
from ductile.http.api.waiting import Waits
from ductile.http.interfaces import Application


def build_api(parts: ApiParts, tokens: Iterable[str]) -> ApiDoor:
    """The door to `/api/`; without `tokens`, for programs on this machine only."""
    # This hears of every end from the start on, whenever the first request comes.
    waits = Waits(parts.telemetry)

    def make() -> Application:
        # Here and not above: FastAPI takes longer to load than everything else together.
        application: Application = import_module("ductile.http.api.app").make_app(parts, waits)
        return application

    return ApiDoor(make, Guard(tokens))
