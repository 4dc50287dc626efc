"""What the doors on the network need from outside, and the shape of an ASGI application."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Application: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

#: Names in lower case, values as they came; a header sent twice is there twice.
Headers: TypeAlias = Sequence[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Health:
    """How the parts of the gateway are, for whoever may reach the port."""

    parts: Mapping[str, str | None]
    """Each part that was looked at: None if it is well, otherwise what is wrong with it.

    Strangers read this: no paths, no names of hosts, no secrets.
    """

    @property
    def well(self) -> bool:
        """Whether every part is."""
        return not any(self.parts.values())


#: Looks at the parts. Called on a thread of its own, one at a time; may take its time.
CheckHealth: TypeAlias = Callable[[], Health]
