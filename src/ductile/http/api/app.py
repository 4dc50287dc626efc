"""The application behind the API's door: all routes under `/api/v1`."""

from __future__ import annotations

from typing import Final

from fastapi import Depends, FastAPI
from fastapi.security import HTTPBearer

from ductile.http.api.answers import handle_errors
from ductile.http.api.parts import ApiParts
from ductile.http.api.reading import Reading
from ductile.http.api.triggers import Triggers
from ductile.http.api.waiting import Waits

ROOT: Final = "/api/v1"


def make_app(parts: ApiParts, waits: Waits) -> FastAPI:
    """All routes; without a guard, which stands in front of them."""
    app = FastAPI(
        title="Ductile",
        version="1",
        openapi_url=f"{ROOT}/openapi.json",
        # Pages that fetch their scripts from elsewhere.
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        # These two are for those who read the description: the guard in front does what they say.
        dependencies=[Depends(HTTPBearer(auto_error=False, description="One of http.tokens."))],
        responses={"4XX": {"description": 'What was wrong: `{"error"}`.'}},
        # The signals of the catalogue tell what happens, nothing else does.
        telemetry={"tracing": False, "metrics": False, "logs": False, "operation_spans": False},
    )
    app.include_router(Triggers(parts, waits).router(), prefix=ROOT)
    app.include_router(Reading(parts).router(), prefix=ROOT)
    handle_errors(app)
    return app
