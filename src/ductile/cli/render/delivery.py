"""One delivery, field by field."""

from __future__ import annotations

from ductile.cli.render.lists import verdict_style
from ductile.cli.render.text import Paint, Style, moment, one_line, size
from ductile.model.delivery import Delivery


def delivery_text(delivery: Delivery, paint: Paint) -> str:
    """A line for each thing that is known of it."""
    status = "" if delivery.status is None else f", answered with {delivery.status}"
    fields = {
        "delivery": delivery.id,
        "received": f"{moment(delivery.received_at)} UTC",
        "endpoint": f"{delivery.endpoint}, signed as {delivery.scheme}",
        "verdict": paint(delivery.verdict, verdict_style(delivery.verdict)) + status,
        "reason": delivery.reason,
        "sender's id": delivery.delivery_id,
        "body": None if delivery.size is None else size(delivery.size),
        "event": delivery.event_id,
    }
    known = {name: text for name, text in fields.items() if text is not None}
    longest = max(map(len, known))
    return "\n".join(
        f"{paint(name.ljust(longest), Style.DIM)}  {text if name == 'verdict' else one_line(text)}"
        for name, text in known.items()
    )
