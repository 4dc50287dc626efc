"""Verifying beside a janitor, and what it costs."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from blake3 import blake3

from ductile.errors import WorkspaceError
from ductile.insights.integrity.verifier import Part, Verifier
from ductile.model.artifact import Artifact
from ductile.model.clock import SystemClock
from ductile.model.ids import JobId, new_id
from ductile.model.job import Job
from ductile.workspace.audit import HardLinkAudit
from ductile.workspace.interfaces import DefectKind, FileId, Survey, WorkspaceKey
from tests.integration.integrity.looking import details
from tests.support.builders import a_file
from tests.support.clock import FakeClock
from tests.support.site import Site

DAY = timedelta(hours=24)
JOB = JobId(new_id())
SEALED = a_file("a", size=3, blake3=blake3(b"one").hexdigest())


@dataclass
class Interrupted:
    """An audit in whose looks something else happens."""

    real: HardLinkAudit
    meanwhile: Callable[[], object]

    def exists(self, key: WorkspaceKey) -> bool:
        return self.real.exists(key)

    def survey(self, key: WorkspaceKey, held: Mapping[str, Artifact]) -> Survey:
        self.meanwhile()
        return self.real.survey(key, held)

    def holds(self, key: WorkspaceKey, files: Set[FileId]) -> Set[FileId]:
        return self.real.holds(key, files)

    def forget(self) -> None:
        self.real.forget()


def test_what_the_janitor_deletes_in_the_middle_of_a_look_has_expired(site: Site) -> None:
    clock = FakeClock()
    with site.running(clock=clock) as running:
        chain = running.finish("go")
        clock.advance(DAY)
        settings, _, _ = site.read().parts()
        audit = Interrupted(
            HardLinkAudit(settings.workspace.root), running.gateway.janitor.run_once
        )
        checked = Verifier(running.gateway.store, audit, DAY, clock)
        found = checked.verify(Part(chain.records.chain_id))
    assert found.intact, details(found)
    assert found.tally.expired == 2


def test_a_workspace_that_cannot_be_read_is_a_problem_and_does_not_stop_the_look(
    site: Site,
) -> None:
    def refuse() -> None:
        raise WorkspaceError("the disk does not answer")

    with site.running() as running:
        chain = running.finish("go")
        settings, _, _ = site.read().parts()
        audit = Interrupted(HardLinkAudit(settings.workspace.root), refuse)
        checked = Verifier(running.gateway.store, audit, DAY, SystemClock())
        found = checked.verify(Part(chain.records.chain_id))
    assert [(each.kind, each.detail) for each in found.files] == [
        (DefectKind.UNREADABLE, "the disk does not answer")
    ] * 2
    assert found.tally.contexts == 3


def test_what_workspaces_share_is_read_once(site: Site) -> None:
    with site.running() as running:
        chain = running.finish("go")
        settings, _, _ = site.read().parts()
        store, audit = running.gateway.store, HardLinkAudit(settings.workspace.root)

        def files_read(job: Job) -> int:
            held = store.read(lambda tx: tx.artifacts.held(job.id))
            known = {path: artifact for path, (_, artifact) in held.items()}
            return audit.survey(WorkspaceKey(job.id), known).read

        read = [files_read(job) for job in chain.jobs]
        audit.forget()
        again = files_read(chain.job("use"))
    assert (read, again) == ([1, 1], 2)


def test_a_file_that_is_written_to_between_two_of_its_names_is_read_again(tmp_path: Path) -> None:
    key = WorkspaceKey(JOB)
    folder = tmp_path / JOB
    folder.mkdir()
    (folder / "a").write_text("one")
    os.link(folder / "a", folder / "b")
    audit = HardLinkAudit(tmp_path)
    before = audit.survey(key, {})
    assert [each.kind for each in before.defects] == [DefectKind.UNKNOWN] * 2
    held = {name: replace(SEALED, path=name) for name in ("a", "b")}
    assert audit.survey(key, held).defects == ()
    (folder / "a").write_text("two")
    assert [each.path for each in audit.survey(key, held).defects] == ["a", "b"]
