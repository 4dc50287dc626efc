"""The gateway is killed with SIGKILL, and what was accepted is finished all the same."""

from __future__ import annotations

import os
import random
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from ductile.model.job import JobStatus
from tests.support.line import STEPS, Line, settled
from tests.support.process import GatewayProcess, has_ended
from tests.support.site import Chain

FINISHED: Final = [(name, JobStatus.SUCCEEDED) for name in STEPS]
CONTEXTS: Final = "SELECT * FROM event_context ORDER BY id"
OPEN_JOBS: Final = "SELECT count(*) FROM job_queue WHERE status IN ('queued', 'running')"
#: Kills, and chains begun between one and the next.
KILLS: Final = 6
CHAINS: Final = 2
SEED: Final = 1


@dataclass(frozen=True)
class Aftermath:
    """A chain that was finished by the second gateway, the first having been killed."""

    line: Line
    chain: Chain
    left_over: bool
    """Whether the plugin of the dead gateway was there when its successor started."""
    contexts: list[tuple[Any, ...]]
    """As they were after the kill."""


def killed_in(step: str, root: Path) -> Aftermath:
    """Kill the gateway while a step runs, and let another one finish the chain."""
    line = Line(root)
    gate = line.gate(step)
    with line.running() as first:
        event_id = line.send(first)
        plugin = os.pidfd_open(gate.reached())
        first.kill()
        contexts = line.rows(CONTEXTS)
        with line.running() as second:
            gate.reached()
            left_over = not has_ended(plugin)
            os.close(plugin)
            gate.let_through()
            settled(second, event_id)
    return Aftermath(line, line.chain(event_id), left_over, contexts)


@pytest.fixture(scope="module")
def aftermath(tmp_path_factory: pytest.TempPathFactory) -> Aftermath:
    return killed_in("third", tmp_path_factory.mktemp("killed"))


def most_children(chain: Chain) -> int:
    return max(Counter(job.parent_job_id for job in chain.jobs).values())


def steps(chain: Chain) -> list[tuple[str, JobStatus]]:
    return [(job.plugin, job.status) for job in chain.jobs]


def test_a_chain_whose_third_step_was_cut_off_has_five_succeeded_jobs(aftermath: Aftermath) -> None:
    assert steps(aftermath.chain) == FINISHED


def test_no_job_has_a_second_child(aftermath: Aftermath) -> None:
    assert most_children(aftermath.chain) == 1


def test_the_left_over_plugin_is_gone_before_the_next_attempt_starts(aftermath: Aftermath) -> None:
    assert not aftermath.left_over


def test_the_attempt_that_was_cut_off_is_recorded_as_crashed(aftermath: Aftermath) -> None:
    third = aftermath.chain.job("third").id
    attempts = [each for each in aftermath.chain.records.attempts if each.job_id == third]
    assert [each.status for each in attempts] == ["crashed", "succeeded"]


def test_contexts_from_before_the_kill_are_the_same_byte_for_byte(aftermath: Aftermath) -> None:
    # The root's, and one for each of two steps; ids sort by time.
    assert len(aftermath.contexts) == 3
    assert aftermath.line.rows(CONTEXTS)[:3] == aftermath.contexts


def test_the_last_workspace_holds_the_work_of_each_step_once(aftermath: Aftermath) -> None:
    assert aftermath.line.trace(aftermath.chain.records.chain_id) == list(STEPS)


@pytest.mark.parametrize("step", ["first", "fifth"])
def test_the_first_and_the_last_step_are_finished_after_a_kill_too(
    tmp_path: Path, step: str
) -> None:
    aftermath = killed_in(step, tmp_path)
    assert (steps(aftermath.chain), most_children(aftermath.chain)) == (FINISHED, 1)


def test_a_step_that_was_not_yet_claimed_when_the_gateway_died_is_tried_once(
    tmp_path: Path,
) -> None:
    line = Line(tmp_path)
    line.site.config["service"] = {"max_workers": 1}
    gate = line.gate("third")
    with line.running() as process:
        event_id = line.send(process)
        gate.reached()
        # Older than the fourth step's job, so it has the only worker when the third is done.
        line.send(process, "block")
        gate.let_through()
        line.blocker.reached()
        process.kill()
    between = line.chain(event_id).job("fourth")
    with line.running() as process:
        line.blocker.reached()
        line.blocker.let_through()
        settled(process, event_id)
    chain = line.chain(event_id)
    assert (between.status, between.attempt) == (JobStatus.QUEUED, 0)
    assert (steps(chain), most_children(chain)) == (FINISHED, 1)
    assert [job.attempt for job in chain.jobs] == 5 * [1]


def test_after_kills_at_any_moment_every_accepted_event_is_finished_once(tmp_path: Path) -> None:
    line, chance = Line(tmp_path), random.Random(SEED)
    accepted: list[str] = []
    for _ in range(KILLS):
        with line.running() as process:
            accepted += [line.send(process) for _ in range(CHAINS)]
            # Fewer lines than the new chains alone will write.
            _progress(process, chance.randrange(10 * CHAINS))
            process.kill()
    with line.running() as process:
        process.wait_until(lambda: line.rows(OPEN_JOBS) == [(0,)])
    chains = [line.chain(event_id) for event_id in accepted]
    found = [(steps(chain), most_children(chain)) for chain in chains]
    assert found == len(accepted) * [(FINISHED, 1)]
    assert [line.trace(event_id) for event_id in accepted] == len(accepted) * [list(STEPS)]
    assert line.rows("PRAGMA integrity_check") == [("ok",)]


def _progress(process: GatewayProcess, lines: int) -> None:
    process.wait_until(lambda: process.count("job (started|settled)") >= lines)
