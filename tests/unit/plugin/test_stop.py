"""The stop token."""

from __future__ import annotations

import os
import select

from ductile.plugin.stop import Stop


def readable(stop: Stop) -> bool:
    poll = select.poll()
    poll.register(stop.fileno(), select.POLLIN)
    return bool(poll.poll(0))


def test_a_new_token_asks_for_nothing() -> None:
    with Stop() as stop:
        assert not stop.is_set()
        assert not readable(stop)


def test_a_token_that_is_set_twice_stays_set_and_readable() -> None:
    with Stop() as stop:
        stop.set()
        stop.set()

        assert stop.is_set()
        assert readable(stop)


def test_closing_twice_gives_the_descriptor_back_once() -> None:
    before = len(os.listdir("/proc/self/fd"))
    stop = Stop()

    stop.close()
    stop.close()

    assert len(os.listdir("/proc/self/fd")) == before


def test_a_closed_token_may_still_be_set() -> None:
    stop = Stop()
    stop.close()

    stop.set()

    assert stop.fileno() == -1
