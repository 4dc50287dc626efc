"""A database of the first release, cut off in the middle of its work, is finished by this one."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import apsw
import blake3
import pytest

from ductile.storage.sqlite.migrate import migrations
from tests.support import ledger
from tests.support.process import gateway
from tests.support.site import Site

DUMP: Final = Path(__file__).with_name("first_release.sql")
_WORK: Final = """\
cat >/dev/null
{{ [ ! -f trace ] || cat trace; echo {name}; }} >trace.new
mv -f trace.new trace
echo '{{"status": "ok", "result": "did {name}", "state_updates": {{"{name}": true}}}}'
"""
PLUGINS: Final = ("one", "two", "three", "flaky")
#: What each pipeline of the dump comes to, step by step along the longest way.
TRACES: Final = (
    ["one", "two", "three"],
    ["one", "flaky"],
    ["one", "three", "one"],
    ["one", "two"],
    ["two"],
)
_CONTENTS: Final = {
    blake3.blake3(text.encode()).hexdigest(): text
    for trace in TRACES
    for length in range(1, len(trace) + 1)
    for text in ["".join(f"{name}\n" for name in trace[:length])]
}
OPEN: Final = "SELECT count(*) FROM job_queue WHERE status IN ('queued', 'running')"
LASTING: Final = (
    "SELECT id, type, payload, source, created_at, chain_id, job_id FROM event",
    "SELECT id, parent_id, run_id, hop, accumulated_json FROM event_context",
    "SELECT hash, name, definition FROM pipeline_version",
    "SELECT job_id, path, change, size, mode, blake3, mtime_ns FROM artifact",
    "SELECT job_id, attempt, status, started_at, error, result FROM job_log",
)


@dataclass(frozen=True)
class Upgraded:
    """The database before and after a gateway of today had it."""

    root: Path
    before: Sequence[Sequence[tuple[Any, ...]]]

    def rows(self, question: str) -> list[tuple[Any, ...]]:
        return ledger.rows(self.root / "data" / "ductile.db", question)

    def trace(self, job_id: str, attempt: int) -> list[str]:
        name = job_id if attempt == 1 else f"{job_id}.{attempt}"
        return (self.root / "data" / "ws" / name / "trace").read_text().split()


def _restore(data: Path) -> None:
    """The database, and the workspaces as its artifacts describe them."""
    data.mkdir()
    with closing(apsw.Connection(str(data / "ductile.db"))) as connection:
        connection.execute(DUMP.read_text())
        jobs = connection.execute("SELECT id FROM job_queue WHERE status = 'succeeded'")
        for (job_id,) in jobs.fetchall():
            (data / "ws" / str(job_id)).mkdir(parents=True, mode=0o700)
        files = connection.execute("SELECT job_id, path, mode, blake3, mtime_ns FROM artifact")
        for job_id, path, mode, digest, mtime_ns in files:
            file = data / "ws" / str(job_id) / str(path)
            file.write_text(_CONTENTS[str(digest)])
            file.chmod(mode)
            os.utime(file, ns=(mtime_ns, mtime_ns))


@pytest.fixture(scope="module")
def upgraded(tmp_path_factory: pytest.TempPathFactory) -> Upgraded:
    root = tmp_path_factory.mktemp("upgraded")
    _restore(root / "data")
    database = root / "data" / "ductile.db"
    before = [ledger.rows(database, question) for question in LASTING]
    site = Site(root)
    for name in PLUGINS:
        site.plugin(name, _WORK.format(name=name))
    site.config["plugins"] = {name: {"retry": {"backoff_base": "1ms"}} for name in PLUGINS}
    # No pipeline is left: runs are pinned to the versions that the database keeps.
    site.config["workspace"] = {"ttl": "36500d"}
    with gateway(site.write()) as process:
        # Before anything else, for it may take long: nobody is to take it for a gateway that hangs.
        process.wait_for(rf"^\S+ info +database upgrading +old=1 new={len(migrations())}$")
        process.wait_until(lambda: ledger.rows(database, OPEN) == [(0,)])
        process.stop()
    return Upgraded(root, before)


def test_the_dump_has_the_schema_of_the_first_release() -> None:
    found = []
    for script in (DUMP.read_text(), migrations()[0].script):
        with closing(apsw.Connection(":memory:")) as connection:
            connection.execute(script)
            columns = "SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY 2"
            found.append(connection.execute(columns).fetchall())
    assert found[0] == found[1]


def test_it_is_at_the_newest_version(upgraded: Upgraded) -> None:
    [(version,)] = upgraded.rows("SELECT max(version) FROM schema_version")
    assert version == len(migrations()) > 1


def test_every_run_and_every_job_is_finished(upgraded: Upgraded) -> None:
    question = "SELECT status, count(*) FROM {} GROUP BY status"
    assert upgraded.rows(question.format("pipeline_run")) == [("succeeded", 7)]
    assert upgraded.rows(question.format("job_queue")) == [("succeeded", 15)]


def test_what_was_cut_off_is_tried_again(upgraded: Upgraded) -> None:
    question = "SELECT status, count(*) FROM job_log GROUP BY status ORDER BY status"
    assert upgraded.rows(question) == [("crashed", 1), ("failed", 1), ("succeeded", 15)]


def test_the_work_of_both_releases_is_in_the_last_workspaces(upgraded: Upgraded) -> None:
    last = upgraded.rows(
        "SELECT id, attempt FROM job_queue AS job WHERE plugin <> 'fan' AND NOT EXISTS "
        "(SELECT 1 FROM job_queue WHERE parent_job_id = job.id)"
    )
    traces = sorted(upgraded.trace(job_id, attempt) for job_id, attempt in last)
    assert traces == sorted([*TRACES, TRACES[0], TRACES[4]])


def test_nothing_that_was_written_is_changed(upgraded: Upgraded) -> None:
    for question, before in zip(LASTING, upgraded.before, strict=True):
        assert set(before) - set(upgraded.rows(question)) == set()


def test_the_database_is_sound(upgraded: Upgraded) -> None:
    assert upgraded.rows("PRAGMA integrity_check") == [("ok",)]
    assert upgraded.rows("PRAGMA foreign_key_check") == []
