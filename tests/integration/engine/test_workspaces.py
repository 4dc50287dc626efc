"""The directories that jobs work in, as the engine prepares and commits them."""

from __future__ import annotations

import shutil
import stat
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from blake3 import blake3

from ductile.model.artifact import Change
from ductile.model.clock import SystemClock
from ductile.model.job import JobStatus
from ductile.telemetry.signals import JobSettled
from tests.integration.engine.gate import Gate
from tests.support.builders import claimed, stored_child, stored_job
from tests.support.clock import START
from tests.support.scripts import OK, fails
from tests.support.site import Site

AT_ONCE = {"retry": {"backoff_base": "1ms"}}
#: Shell: true from the second attempt on.
AGAIN = "grep -qv '\"attempt\":1,'"


class Later(SystemClock):
    """A day ahead, so that whatever waits is due."""

    def now(self) -> datetime:
        return super().now() + timedelta(days=1)


def test_the_first_attempt_and_the_second_have_directories_of_their_own(site: Site) -> None:
    site.config["plugins"] = {"twice": AT_ONCE}
    site.plugin("twice", f"ls >seen; echo dirty >dirty\n{AGAIN} || exit 1\n{OK}")
    site.pipeline("- {name: p, on: go, steps: [{uses: twice}]}")
    with site.running() as running:
        [job] = running.finish("go").jobs
        second = running.workspace(job)
        first = second.with_name(job.id)
        assert job.attempt == 2
        assert second.name == f"{job.id}.2"
        assert first.is_dir()
        assert (second / "seen").read_text() == "seen\n", "nothing of the first attempt is there"


def test_workspaces_are_for_their_owner_only(site: Site) -> None:
    site.plugin("end", OK)
    site.pipeline("- {name: p, on: go, steps: [{uses: end}]}")
    with site.running() as running:
        path = running.workspace(running.finish("go").jobs[0])
        assert stat.S_IMODE(path.stat().st_mode) == 0o700


def test_a_child_gets_the_files_of_the_attempt_that_succeeded(site: Site) -> None:
    site.config["plugins"] = {"twice": AT_ONCE}
    site.plugin(
        "twice",
        f"sed 's/.*\"attempt\":\\([0-9]*\\).*/\\1/' >number\ngrep -q 2 number || exit 1\n{OK}",
    )
    site.plugin("end", f"cat number >copy\n{OK}")
    site.pipeline("- {name: p, on: go, steps: [{uses: twice}, {uses: end}]}")
    with site.running() as running:
        chain = running.finish("go")
        parent, child = (running.workspace(job) for job in chain.jobs)
        assert (child / "copy").read_text() == "2\n"
        assert (child / "number").stat().st_ino == (parent / "number").stat().st_ino


def test_a_file_is_still_there_two_steps_later(site: Site) -> None:
    site.plugin("make", f"mkdir deep; echo text >deep/summary.txt\n{OK}")
    site.plugin("pass", OK)
    site.plugin("end", f"cat deep/summary.txt >found\n{OK}")
    site.pipeline("- {name: p, on: go, steps: [{uses: make}, {uses: pass}, {uses: end}]}")
    with site.running() as running:
        job = running.finish("go").job("end")
        assert (running.workspace(job) / "found").read_text() == "text\n"


def test_the_first_job_of_a_run_that_an_event_started_gets_the_emitters_files(site: Site) -> None:
    site.plugin("make", 'echo text >file\necho \'{"status":"ok","events":[{"type":"found"}]}\'')
    site.plugin("end", f"cat file >found\n{OK}")
    site.pipeline(
        """
        - {name: p, on: go, steps: [{uses: make}]}
        - {name: q, on: found, steps: [{uses: end}]}
        """
    )
    with site.running() as running:
        job = running.finish("go").job("end")
        assert (running.workspace(job) / "found").read_text() == "text\n"


def test_changes_are_recorded_with_size_mode_and_hash_and_sealed(site: Site) -> None:
    site.plugin("make", f"printf one >one; printf two >two; printf run >run; chmod 750 run\n{OK}")
    site.plugin(
        "change", f"rm one; printf new >.two; mv -f .two two; mkdir d; printf 3 >d/three\n{OK}"
    )
    site.pipeline("- {name: p, on: go, steps: [{uses: make}, {uses: change}]}")
    with site.running() as running:
        chain = running.finish("go")
        workspace = running.workspace(chain.job("change"))
        sealed = stat.S_IMODE((workspace / "two").stat().st_mode)
    made = {each.path: each for each in chain.records.artifacts[chain.job("make").id]}
    assert {path: each.change for path, each in made.items()} == dict.fromkeys(
        ("one", "two", "run"), Change.ADDED
    )
    assert made["one"].size == 3
    assert made["one"].blake3 == blake3(b"one").hexdigest()
    assert made["run"].mode & 0o777 == 0o550
    changed = {each.path: each for each in chain.records.artifacts[chain.job("change").id]}
    assert {path: each.change for path, each in changed.items()} == {
        "one": Change.REMOVED,
        "two": Change.REPLACED,
        "d/three": Change.ADDED,
    }
    assert changed["two"].blake3 == blake3(b"new").hexdigest()
    assert sealed & 0o222 == 0


def test_a_failed_attempt_leaves_no_artifacts_in_the_ledger(site: Site) -> None:
    site.plugin("bad", f"echo half >file\n{fails(retry=False)}")
    site.pipeline("- {name: p, on: go, steps: [{uses: bad}]}")
    with site.running() as running:
        chain = running.finish("go")
    assert chain.jobs[0].status is JobStatus.FAILED
    assert not chain.records.artifacts.get(chain.jobs[0].id)


@pytest.mark.parametrize("mode", ["copy", "empty"])
def test_a_step_may_ask_for_copies_or_for_nothing(site: Site, mode: str) -> None:
    site.plugin("make", f"echo original >file\n{OK}")
    site.plugin("work", f"ls >seen; echo more >>file\n{OK}")
    site.pipeline(
        f"- {{name: p, on: go, steps: [{{uses: make}}, {{uses: work, workspace: {mode}}}]}}"
    )
    with site.running() as running:
        chain = running.finish("go")
        make, work = (running.workspace(job) for job in chain.jobs)
        assert (make / "file").read_text() == "original\n"
        seen = (work / "seen").read_text().split()
    assert chain.job("work").status is JobStatus.SUCCEEDED
    assert seen == (["file", "seen"] if mode == "copy" else ["seen"])


@pytest.mark.parametrize("loss", ["missing", "not a directory"])
def test_a_lost_parent_workspace_fails_the_job_and_is_not_replaced_by_an_empty_one(
    site: Site, gate: Gate, loss: str
) -> None:
    site.config["plugins"] = {"end": {"retry": {"backoff_base": "1h"}}}
    site.plugin("make", f"echo made >file\n{OK}")
    site.plugin("end", f"{gate.announce}exit 1")
    site.pipeline("- {name: p, on: go, steps: [{uses: make}, {uses: end}]}")
    with site.running() as running:
        event_id = running.send("go").event_id
        running.signals.wait_for(JobSettled, lambda each: each.outcome == "failed")
        parent = running.workspace(running.chain(event_id).job("make"))
    shutil.rmtree(parent)
    if loss == "not a directory":
        parent.write_text("")
    site.config["plugins"] = {}
    gate.arrival()
    with site.running(clock=Later()) as running:
        chain = running.ended(event_id)
        job = chain.job("end")
        assert not running.workspace(job).exists()
    assert (job.status, job.attempt) == (JobStatus.FAILED, 2)
    assert "the workspace of a parent job cannot be used" in str(job.last_error)
    assert chain.job("make").id in str(job.last_error)
    assert "chain again" in str(job.last_error)
    assert gate.empty, "the plugin was not started again"


def test_what_cannot_be_committed_fails_the_job(site: Site) -> None:
    site.config["plugins"] = {"pipe": {"retry": {"max_attempts": 1}}}
    site.plugin("pipe", f"mkfifo pipe\n{OK}")
    site.pipeline("- {name: p, on: go, steps: [{uses: pipe}]}")
    with site.running() as running:
        [job] = running.finish("go").jobs
    assert job.status is JobStatus.FAILED
    assert '"pipe"' in str(job.last_error)


@pytest.mark.parametrize("status", [JobStatus.FAILED, JobStatus.TIMED_OUT, JobStatus.CANCELLED])
def test_the_workspace_of_a_job_that_did_not_succeed_is_never_cloned(
    site: Site, status: JobStatus
) -> None:
    site.plugin("end", f"echo ran >ran\n{OK}")
    with site.running(start=False) as running:
        store = running.gateway.store
        parent = stored_job(store, plugin="end")
        [claim] = claimed(store)
        running.workspace(claim).mkdir(parents=True)
        store.write(lambda tx: tx.jobs.finish(claim.claim, status, now=START, error="no luck"))
        child = stored_child(store, parent, plugin="end")
        running.gateway.start()
        settled = running.signals.wait_for(JobSettled, lambda each: each.job == child.id)
        made = running.workspace(replace(child, attempt=1)).exists()
    assert (settled.outcome, settled.next_try, made) == ("failed", None, False)
    assert f"parent job {parent.id} is not committed: the job is {status}" in str(settled.error)


def test_a_root_that_cannot_be_used_fails_the_job_with_a_remedy(site: Site) -> None:
    site.config["plugins"] = {"end": {"retry": {"backoff_base": "1ms", "max_attempts": 2}}}
    site.config["workspace"] = {"root": "no-folder"}
    site.plugin("end", OK)
    site.pipeline("- {name: p, on: go, steps: [{uses: end}]}")
    (site.root / "data").mkdir()
    (site.root / "data" / "no-folder").write_text("")
    with site.running() as running:
        [job] = running.finish("go").jobs
    assert (job.status, job.attempt) == (JobStatus.FAILED, 2)
    assert "workspace.root" in str(job.last_error)
    assert str(site.root) not in str(job.last_error)


def test_two_siblings_that_edit_the_same_file_both_fail_and_the_first_is_named(site: Site) -> None:
    site.plugin("make", f"echo original >file\n{OK}")
    site.plugin("edit", f"chmod u+w file; echo more >>file\n{OK}")
    site.pipeline(
        """
        - name: p
          on: go
          steps: [{uses: make}, {split: [{id: one, uses: edit}, {id: two, uses: edit}]}]
        """
    )
    with site.running() as running:
        chain = running.finish("go")
        first = running.signals.wait_for(JobSettled, lambda each: each.plugin == "edit")
    assert {chain.job(step).status for step in ("one", "two")} == {JobStatus.FAILED}
    [artifact] = chain.records.artifacts[chain.job("make").id]
    assert artifact.tainted_by == first.job
