"""What the API needs of the gateway."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ductile.dispatch.current import InForce
from ductile.dispatch.interfaces import Intake
from ductile.insights.insights import Insights
from ductile.telemetry.hub import Telemetry


@dataclass(frozen=True, slots=True)
class ApiParts:
    """The parts behind the routes."""

    intake: Intake
    insights: Insights
    telemetry: Telemetry
    current: Callable[[], InForce]
    """The pipelines and plugins that are in force at the moment."""
