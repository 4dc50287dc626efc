"""Statements reach their rows through the indexes that were made for them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from ductile.storage import sqlite
from ductile.storage.sqlite import open_store
from ductile.storage.sqlite.queries import load
from tests.support.clock import FakeClock

FOLDER = Path(sqlite.__file__).parent
PARTS = sorted(file.stem for file in FOLDER.glob("*.sql"))
STATEMENTS = [(part, name) for part in PARTS for name in load(part)]

#: Statements that read a whole index, each with the reason why that is no more than they need.
WHOLE_INDEX = {
    ("jobs", "running_by_plugin"): "only running jobs are in it",
    ("jobs", "running"): "only running jobs are in it",
    ("deliveries", "page_started_nothing"): "webhooks.inbox.limit bounds it, and a person asks",
    ("views", "running_jobs"): "only running jobs are in it",
    ("views", "queued_jobs"): "only queued jobs are in it, and only a person asks",
    ("views", "waiting"): "only queued jobs are in it, and a limit ends the look",
    ("views", "counts"): "only queued and running jobs are in it, and rows are not read",
}
#: Statements that sort, each with the reason why what they sort is small.
SORTS = {
    ("jobs", "running"): "running jobs",
    ("deliveries", "page_started_nothing"): "what webhooks.inbox.limit leaves",
    ("views", "running_jobs"): "running jobs",
    ("views", "queued_jobs"): "queued jobs, when a person asks",
    ("contexts", "lineage"): "one line of descent",
    ("runs", "path"): "one line of descent",
    ("artifacts", "lineage"): "one line of descent",
    ("views", "chain_skips"): "one chain",
    ("views", "chain_arrivals"): "one chain",
    ("views", "chain_jobs"): "one chain",
    ("views", "chain_artifacts"): "one chain",
    ("views", "chain_contexts"): "one chain",
    ("views", "chain_attempts"): "one chain",
    ("views", "chain_ends"): "the chains that were asked for",
}
#: The parts whose statements are on the way of every job and every delivery.
ON_THE_WAY = ("artifacts", "contexts", "dedupe", "deliveries", "events", "jobs", "runs", "versions")
#: Statements among them for which SQLite makes tables of its own, and how many. A list of three or
#: more values after IN is enough, in the statement or in a check or an index that it comes by.
OWN_TABLES = {
    ("artifacts", "lineage"): 3,
    ("contexts", "lineage"): 2,
    ("dedupe", "prune"): 2,
    ("deliveries", "forget"): 2,
    ("deliveries", "page_started_nothing"): 1,
    ("deliveries", "surplus"): 1,
    ("jobs", "cancel"): 2,
    ("jobs", "claim"): 1,
    ("jobs", "heads"): 2,
    ("jobs", "running"): 1,
    ("jobs", "waiting_plugins"): 1,
    ("runs", "advance"): 1,
    ("runs", "end"): 1,
    ("runs", "finish"): 1,
    ("runs", "path"): 2,
}
#: The index that each statement on the way of a job is meant to use.
INTENDED = {
    ("jobs", "heads"): "COVERING INDEX job_queue_ready (plugin>?)",
    ("jobs", "waiting_plugins"): "COVERING INDEX job_queue_waiting (plugin>?)",
    ("jobs", "running_by_plugin"): "COVERING INDEX job_queue_running",
    ("jobs", "ready_of_plugin"): "COVERING INDEX job_queue_ready (plugin=?)",
    ("jobs", "due_of_plugin"): "COVERING INDEX job_queue_waiting (plugin=? AND next_retry_at>? "
    "AND next_retry_at<?)",
    ("jobs", "claim"): "sqlite_autoindex_job_queue_1 (id=?)",
    ("jobs", "renew"): "sqlite_autoindex_job_queue_1 (id=?)",
    ("jobs", "finish"): "sqlite_autoindex_job_queue_1 (id=?)",
    ("jobs", "retry"): "sqlite_autoindex_job_queue_1 (id=?)",
    ("jobs", "give_back"): "sqlite_autoindex_job_queue_1 (id=?)",
    ("jobs", "log"): "sqlite_autoindex_job_queue_1 (id=?)",
    ("jobs", "running"): "job_queue_running",
    ("dedupe", "first"): "PRIMARY KEY (digest=?)",
    ("dedupe", "prune"): "COVERING INDEX dedupe_expiry (expires_at<?)",
    ("deliveries", "page"): "PRIMARY KEY (id<?)",
    ("deliveries", "expired"): "PRIMARY KEY (id<?)",
    ("deliveries", "surplus"): "delivery_started_nothing (endpoint=? AND id<?)",
    ("deliveries", "forget"): "PRIMARY KEY (id=?)",
    ("contexts", "get"): "sqlite_autoindex_context_1 (id=?)",
    ("runs", "advance"): "sqlite_autoindex_pipeline_run_1 (id=?)",
    ("runs", "finish"): "sqlite_autoindex_pipeline_run_1 (id=?)",
    ("runs", "overdue"): "pipeline_run_deadline (deadline_at>? AND deadline_at<?)",
    ("jobs", "cancel"): "job_queue_open_in_run (run_id=?)",
    ("joins", "arrivals"): "join_arrival_join (run_id=? AND join_id=?)",
    ("joins", "open"): "job_queue_open_in_run (run_id=?)",
    ("joins", "failed"): "job_queue_unsuccessful_in_run (run_id=?)",
    ("joins", "arrived"): "COVERING INDEX join_arrival_join (run_id=?)",
    ("joins", "passed"): "sqlite_autoindex_join_passed_1 (run_id=?)",
    ("artifacts", "lineage"): "join_arrival_join (run_id=? AND join_id=?)",
    ("artifacts", "sources"): "join_arrival_join (run_id=? AND join_id=?)",
    ("artifacts", "changes"): "PRIMARY KEY (job_id=?)",
    ("artifacts", "changes_between"): "PRIMARY KEY (job_id=? AND path>? AND path<?)",
    ("views", "jobs"): "sqlite_autoindex_job_queue_1 (id<?)",
    ("views", "unsuccessful_jobs"): "job_queue_unsuccessful (status=? AND id<?)",
    ("views", "chains"): "sqlite_autoindex_event_1 (id<?)",
    ("views", "chain_ends"): "job_queue_child (source_event_id=?)",
    ("views", "chain_jobs"): "job_queue_child (source_event_id=?)",
    ("views", "chain_contexts"): "context_parent (parent=?)",
}
TABLES = (
    "artifact|context|dedupe|delivery|event|job_log|job_queue|join_arrival|join_passed|"
    "pipeline_run|pipeline_version|plugin_state|run_skip"
)


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[apsw.Connection]:
    path = tmp_path_factory.mktemp("plans") / "ductile.db"
    with closing(open_store(path, FakeClock())):
        opened = apsw.Connection(str(path))
        yield opened
        opened.close()


def plan(connection: apsw.Connection, part: str, name: str) -> list[str]:
    statement = load(part)[name]
    values = dict.fromkeys(re.findall(r":(\w+)", statement))
    return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", values)]


@pytest.mark.parametrize(("part", "name"), STATEMENTS)
def test_no_statement_reads_a_whole_table(
    connection: apsw.Connection, part: str, name: str
) -> None:
    scans = [step for step in plan(connection, part, name) if re.match(rf"SCAN ({TABLES})\b", step)]
    if (part, name) in WHOLE_INDEX:
        assert [step for step in scans if not re.search(r"INDEX \w+", step)] == []
    else:
        assert scans == []


@pytest.mark.parametrize(("part", "name"), STATEMENTS)
def test_no_statement_sorts_or_indexes_what_has_no_bound(
    connection: apsw.Connection, part: str, name: str
) -> None:
    steps = plan(connection, part, name)
    assert [step for step in steps if "AUTOMATIC" in step] == []
    assert any("TEMP B-TREE" in step for step in steps) is ((part, name) in SORTS)


@pytest.mark.parametrize(("part", "name"), INTENDED)
def test_statements_on_the_way_of_a_job_use_the_index_made_for_them(
    connection: apsw.Connection, part: str, name: str
) -> None:
    steps = plan(connection, part, name)
    assert [step for step in steps if INTENDED[part, name] in step], steps


@pytest.mark.parametrize(("part", "name"), [each for each in STATEMENTS if each[0] in ON_THE_WAY])
def test_no_statement_on_the_way_of_a_job_needs_more_tables_than_it_must(
    connection: apsw.Connection, part: str, name: str
) -> None:
    statement = load(part)[name]
    values = dict.fromkeys(re.findall(r":(\w+)", statement))
    steps = [row[1] for row in connection.execute(f"EXPLAIN {statement}", values)]
    made = sum(step in ("OpenEphemeral", "OpenAutoindex", "SorterOpen") for step in steps)
    assert made == OWN_TABLES.get((part, name), 0)


@pytest.mark.parametrize("part", PARTS)
def test_every_statement_has_a_name_and_a_sentence(part: str) -> None:
    text = (FOLDER / f"{part}.sql").read_text(encoding="utf-8")
    assert len(load(part)) == len(re.findall(r"^-- name: ", text, re.MULTILINE)) > 0


@pytest.mark.parametrize("part", PARTS)
def test_every_statement_is_used(part: str) -> None:
    sources = "".join(file.read_text(encoding="utf-8") for file in FOLDER.glob("*.py"))
    assert [name for name in load(part) if f'"{name}"' not in sources] == []
