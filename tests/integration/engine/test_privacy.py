"""Nothing that should stay outside gets into the ledger."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from ductile.model.job import JobStatus
from tests.integration.engine.test_attempts import borrow
from tests.support.scripts import KEEP_REQUEST, OK
from tests.support.site import Site

SECRET: Final = "a-token-that-nobody-may-see"
ONCE: Final = {"retry": {"max_attempts": 1}}

#: What a plugin may say that must not be kept, by the place where it says it.
TELLING = {
    "the path in state_updates": '"state_updates":{"file":"\'"$PWD"\'/summary.txt"}',
    "the path of the root": '"state_updates":{"root":"\'"$(dirname "$PWD")"\'"}',
    "the path in a key": '"state_updates":{"\'"$PWD"\'/summary.txt":1}',
    "the path in an event": '"events":[{"type":"e","payload":{"in":["\'"$PWD"\'/summary.txt"]}}]',
    "the path in a dedupe key": '"events":[{"type":"e","dedupe_key":"\'"$PWD"\'/summary.txt"}]',
    "the secret in state_updates": f'"state_updates":{{"url":"https://{SECRET}@host"}}',
    "the secret in an event": f'"events":[{{"type":"e","payload":{{"deep":{{"er":"{SECRET}"}}}}}}]',
    "the secret in an event's type": f'"events":[{{"type":"e.{SECRET}"}}]',
}


def with_secret(site: Site, *plugins: str) -> None:
    own = {"config": {"api_token": SECRET}, **ONCE}
    site.config["plugins"] = {plugin: own for plugin in plugins}


def ledger_bytes(site: Site) -> bytes:
    """All that the database's files hold."""
    return b"".join(path.read_bytes() for path in (site.root / "data").glob("ductile.db*"))


@pytest.mark.parametrize("field", TELLING.values(), ids=TELLING)
def test_an_answer_that_tells_where_it_was_or_a_secret_fails_without_another_try(
    site: Site, field: str
) -> None:
    with_secret(site, "tell")
    del site.config["plugins"]["tell"]["retry"]
    site.plugin("tell", f"""PWD=$(pwd -P)\necho '{{"status":"ok",{field}}}'""")
    site.pipeline("- {name: p, on: go, steps: [{uses: tell}]}")
    with site.running() as running:
        chain = running.finish("go")
    [job] = chain.jobs
    assert (job.status, job.attempt) == (JobStatus.FAILED, 1)
    assert len(chain.records.events) == len(chain.records.contexts) == 1
    assert SECRET not in str(job.last_error)
    assert str(site.root) not in str(job.last_error)


def test_a_path_is_noticed_by_its_real_name_too(site: Site) -> None:
    (site.root / "real").mkdir()
    (site.root / "link").symlink_to(site.root / "real")
    site.config["data_dir"] = str(site.root / "link")
    site.plugin("tell", """echo '{"status":"ok","state_updates":{"f":"'"$(pwd -P)"'/x"}}'""")
    site.plugin("moan", "pwd -P >&2\nexit 78")
    site.pipeline("- {name: p, on: go, steps: [{split: [{uses: tell}, {uses: moan}]}]}")
    with site.running() as running:
        chain = running.finish("go")
    assert chain.job("tell").status is JobStatus.FAILED
    assert [row.stderr for row in chain.records.attempts if row.stderr] == ["[workspace]\n"]


def test_a_plugin_that_echoes_its_whole_request_is_told_why_that_fails(site: Site) -> None:
    borrow(site, "echo")
    site.pipeline("- {name: p, on: go, steps: [{uses: echo}]}")
    with site.running() as running:
        [job] = running.finish("go").jobs
    assert "holds the absolute path of a workspace" in str(job.last_error)
    assert "give the path relative to the workspace" in str(job.last_error)


def test_result_error_stderr_and_logs_have_paths_and_secrets_replaced(site: Site) -> None:
    said = f'in $PWD with {SECRET} beside $(dirname "$PWD")/other'
    kept = "in [workspace] with [secret] beside [workspaces]/other"
    with_secret(site, "good", "bad")
    for name, status in (("good", '"ok","result"'), ("bad", '"error","error"')):
        site.plugin(
            name,
            f"""
            said="{said}"
            echo "$said" >&2
            echo '{{"status":{status}:"'"$said"'",'
            echo '"logs":[{{"level":"info","message":"'"$said"'"}}]}}'
            """,
        )
    site.plugin("end", OK)
    site.pipeline(
        "- {name: p, on: go, steps: [{split: [{steps: [{uses: good}, {uses: end}]}, {uses: bad}]}]}"
    )
    with site.running() as running:
        chain = running.finish("go")
    rows = {row.job_id: row for row in chain.records.attempts}
    good, bad = rows[chain.job("good").id], rows[chain.job("bad").id]
    assert (good.result, bad.error) == (kept, kept)
    assert (good.stderr, bad.stderr) == (f"{kept}\n", f"{kept}\n")
    assert [line.message for line in (*good.logs, *bad.logs)] == [kept, kept]
    assert chain.job("bad").last_error == kept
    assert str(chain.records.runs[0].reason).endswith(kept)
    assert [event.payload for event in chain.records.events[1:]] == [{"result": kept}]


def test_after_a_busy_time_the_files_of_the_database_hold_neither_path_nor_secret(
    site: Site, tmp_path: Path
) -> None:
    troubles = {
        "tell": f"""echo '{{"status":"ok","state_updates":{{"f":"'"$PWD"'","s":"{SECRET}"}}}}'""",
        "moan": f'echo "$PWD {SECRET}" >&2\necho "$PWD {SECRET}"\nexit 3',
        "pipe": f"mkfifo pipe\n{OK}",
        "edit": f"chmod u+w file\necho '{SECRET}' >>file\n{OK}",
        "hang": f'echo "$PWD {SECRET}" >&2\nexec sleep infinity',
        "vanished": OK,
        "wreck": 'rm -rf "$PWD"\n' + OK,
        "garbage": f"""echo '{{"status":"ok","events":"'"$PWD"' {SECRET}"}}'""",
        "good": f'{KEEP_REQUEST}echo \'{{"status":"ok","result":"{SECRET}"}}\'',
    }
    with_secret(site, *troubles)
    site.config["plugins"]["hang"] = {
        **site.config["plugins"]["hang"],
        "timeouts": {"handle": "100ms"},
    }
    site.plugin("make", f"echo made >file\n{OK}")
    for name, script in troubles.items():
        site.plugin(name, script)
    branches = ", ".join(f"{{uses: {name}}}" for name in troubles)
    site.pipeline(f"- {{name: p, on: go, steps: [{{uses: make}}, {{split: [{branches}]}}]}}")
    with site.running() as running:
        (site.root / "config" / "plugins" / "vanished" / "run").unlink()
        chain = running.finish("go")
        data = ledger_bytes(site)
    assert {job.plugin for job in chain.jobs if job.status is JobStatus.SUCCEEDED} >= {"make"}
    assert b"event_context" in data
    assert SECRET.encode() not in data
    assert str(tmp_path / "data").encode() not in data
