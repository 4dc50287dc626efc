"""Events whose sender says in a header what has happened."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

from ductile.config.event_types import TypePattern
from ductile.http.exchange import Rejection
from ductile.http.interfaces import Headers
from ductile.http.webhooks.signature import only

#: Characters of a header's value that an answer repeats.
_SHOWN: Final = 100


@dataclass(frozen=True, slots=True)
class NamedByHeader:
    """The types that an endpoint makes of what its sender says."""

    pattern: TypePattern
    header: str

    def of(self, headers: Headers) -> str:
        """The type of one delivery. Raises Rejection 400 if the header is not there to be read."""
        said = only(headers, self.header.lower().encode("ascii"))
        event_type = None if said is None else self.pattern.filled(said)
        if event_type is None:
            found = "none" if said is None else json.dumps(said.decode("latin-1")[:_SHOWN])
            raise Rejection(
                400,
                f"expected one {self.header} that names what has happened, in letters, digits and "
                f"_ - . /, found {found}; nothing was accepted",
                # The inbox keeps no header.
                reason=f"{self.header} does not name what has happened",
            )
        return event_type
