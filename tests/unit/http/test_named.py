"""Types that a header has a part in."""

from __future__ import annotations

import pytest

from ductile.config.event_types import TypePattern
from ductile.http.exchange import Rejection
from ductile.http.webhooks.named import NamedByHeader

BY_KIND = NamedByHeader(TypePattern.parse("hook.{event}"), "X-Kind")


def test_the_name_of_the_header_may_be_written_in_any_way() -> None:
    assert BY_KIND.of([(b"x-other", b"a"), (b"x-kind", b"b")]) == "hook.b"


@pytest.mark.parametrize("values", [[], [b"a", b"b"], [b"a", b"a"], [b""], [b"a,b"], [b"\xff"]])
def test_a_header_that_is_not_there_once_and_plain_is_refused(values: list[bytes]) -> None:
    with pytest.raises(Rejection, match="expected one X-Kind") as caught:
        BY_KIND.of([(b"x-kind", value) for value in values])
    assert caught.value.status == 400
