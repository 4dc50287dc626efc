"""A first day with the command line: from no directory to a chain seen from all sides."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from tests.support.made_site import Site, made
from tests.support.process import GatewayProcess, gateway, run
from tests.support.terminal import ductile


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return made(tmp_path / "site")


@pytest.fixture(scope="module")
def lived_in(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A site in which one chain has run; tests only look at it."""
    site = made(tmp_path_factory.mktemp("lived") / "in")
    ended = site.run("pipeline", "run", "hello", "--payload", '{"name": "world"}')
    assert ended.code == 0, ended.text
    return site


@pytest.fixture
def serving(site: Site) -> Iterator[tuple[Site, GatewayProcess]]:
    with gateway(site.directory) as process:
        yield site, process


def test_the_commands_that_init_names_work(tmp_path: Path) -> None:
    directory = tmp_path / "my first"
    ended = run("init", str(directory))
    check, pipeline_run, serve = re.findall(r"^  ductile (.*)$", ended.output, re.MULTILINE)
    for line in (check, pipeline_run):
        done = subprocess.run(
            f"{sys.executable} -m ductile {line}", shell=True, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
    assert serve == f"--config '{directory}' serve"


def test_a_new_directory_is_in_order(site: Site) -> None:
    ended = site.run("config", "check")

    assert ended.code == 0
    assert ended.output == f"all in order: 1 pipeline, 1 plugin in {site.directory}\n"


def test_init_does_not_touch_a_directory_that_is_not_empty(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("precious")

    ended = ductile("init", str(tmp_path))

    assert ended.code == 2
    assert "is there already, and nothing in it is overwritten" in ended.errors
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_pipeline_runs_where_no_gateway_does(site: Site) -> None:
    ended = site.spawn("pipeline", "run", "hello", "--payload", '{"name": "world"}')

    assert ended.code == 0, ended.text
    assert re.search(r"^run \S{36}$", ended.errors, re.MULTILINE)
    assert re.search(r"├─ greet  succeeded .* hello\.handle", ended.output)
    assert re.search(r"└─ sign  succeeded .* hello\.sign", ended.output)


def test_a_pipeline_runs_in_the_gateway_that_serves_the_database(
    serving: tuple[Site, GatewayProcess],
) -> None:
    site, process = serving

    ended = site.spawn("pipeline", "run", "hello", "--json")

    assert ended.code == 0, ended.text
    jobs = [job["id"] for job in json.loads(ended.output)["jobs"]]
    assert len(jobs) == 2
    for job in jobs:
        process.wait_for(f"job settled.*{job}")


def test_what_is_handed_in_without_a_gateway_waits_for_one(site: Site) -> None:
    ended = site.run("pipeline", "run", "hello", "--no-wait")
    assert ended.code == 0, ended.text
    [job] = site.json("job", "list")["jobs"]
    assert job["status"] == "queued"

    with gateway(site.directory) as process:
        process.wait_for("run settled")

    assert {job["status"] for job in site.json("job", "list")["jobs"]} == {"succeeded"}


def test_serve_says_where_it_listens_and_what_it_loaded_and_stops_cleanly(site: Site) -> None:
    with gateway(site.directory) as process:
        host, port = process.address
        ended = process.stop(signal.SIGINT)

    assert ended.code == 0, ended.text
    assert ended.output == (
        f"listening on http://{host}:{port}\nloaded 1 pipeline and 1 plugin from {site.directory}\n"
    )
    assert "gateway stopped" in ended.errors


def test_a_second_signal_ends_a_gateway_that_waits_for_its_plugins(site: Site) -> None:
    script = site.directory / "plugins" / "hello" / "run.sh"
    script.write_text("#!/bin/sh\nexec sleep 600\n")
    site.run("pipeline", "run", "hello", "--no-wait")

    with gateway(site.directory) as process:
        process.wait_for("job started")
        process.send_signal(signal.SIGTERM)
        process.wait_for("stopping; a second signal stops at once")
        ended = process.stop()

    assert ended.code == -signal.SIGTERM
    assert [job["status"] for job in site.json("job", "list")["jobs"]] == ["running"]


def test_a_second_gateway_on_the_same_database_is_refused(
    serving: tuple[Site, GatewayProcess],
) -> None:
    site, process = serving

    ended = site.spawn("serve")

    assert ended.code == 1
    assert str(process.pid) in ended.errors
    assert "Traceback" not in ended.errors


def test_inspect_shows_the_chain_of_a_job(lived_in: Site) -> None:
    newest = lived_in.json("job", "list")["jobs"][0]

    ended = lived_in.spawn("job", "inspect", newest["id"])

    assert ended.code == 0
    assert 'payload   name: "world"' in ended.output
    assert re.search(r"sign  succeeded .*<- asked for", ended.output)
    assert re.search(r"baggage +\+ language: \"en\"", ended.output)
    assert re.search(r"files +\+ greeting\.txt  23 B  [0-9a-f]{8}$", ended.output, re.MULTILINE)
    assert "\x1b" not in ended.output


def test_inspect_gives_the_same_as_json(lived_in: Site) -> None:
    newest = lived_in.json("job", "list")["jobs"][0]

    chain = lived_in.json("job", "inspect", newest["id"])

    assert chain["asked"] == newest["id"]
    assert [job["step_id"] for job in chain["jobs"]] == ["greet", "sign"]
    assert chain["jobs"][0]["baggage"]["added"] == {"language": "en"}
    assert [each["path"] for each in chain["jobs"][1]["artifacts"]] == ["letter.txt"]


def test_a_run_is_listed_and_shown(lived_in: Site) -> None:
    [found] = lived_in.json("run", "list")["runs"]

    ended = lived_in.run("run", "show", found["id"])

    assert found["status"] == "succeeded"
    assert re.search(r"run  hello  succeeded .*<- asked for", ended.output)


def test_the_workspace_of_a_job_holds_its_files(lived_in: Site) -> None:
    newest = lived_in.json("job", "list")["jobs"][0]

    ended = lived_in.run("workspace", "path", newest["id"])

    folder = Path(ended.output.rstrip("\n"))
    assert sorted(path.name for path in folder.iterdir()) == ["greeting.txt", "letter.txt"]


def test_cleaning_keeps_what_has_not_expired(lived_in: Site) -> None:
    ended = lived_in.run("workspace", "clean")

    assert ended.output == "deleted 0 workspaces older than 1d\n"


def test_a_workspace_that_was_cleaned_away_is_said_to_be_gone(site: Site) -> None:
    config = site.directory / "config.yaml"
    config.write_text(config.read_text().replace("ttl: 24h", "ttl: 1ms"))
    job = json.loads(site.run("pipeline", "run", "hello", "--json").output)["jobs"][0]["id"]

    cleaned = site.run("workspace", "clean")
    ended = site.run("workspace", "path", job)

    assert cleaned.code == 0
    assert ended.code == 1
    assert f"the workspace of job {job} is not there any more" in ended.errors
    assert site.run("job", "inspect", job).code == 0


def test_the_database_tells_its_state(lived_in: Site) -> None:
    status = lived_in.json("db", "status")

    assert status["database"] == str(lived_in.directory / "data" / "ductile.db")
    assert (status["gateway_pid"], status["queued"], status["running"]) == (None, 0, 0)


def test_the_database_names_the_gateway_that_serves_it(
    serving: tuple[Site, GatewayProcess],
) -> None:
    site, process = serving

    assert site.json("db", "status")["gateway_pid"] == process.pid


def test_a_backup_holds_the_chain(lived_in: Site, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"

    ended = lived_in.run("db", "backup", str(copy))

    assert ended.code == 0
    connection = apsw.Connection(str(copy), flags=apsw.SQLITE_OPEN_READONLY)
    assert connection.execute("SELECT count(*) FROM job_queue").get == 2
    connection.close()


def test_a_backup_overwrites_nothing(lived_in: Site, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    copy.write_text("precious")

    ended = lived_in.run("db", "backup", str(copy))

    assert ended.code == 1
    assert copy.read_text() == "precious"


def test_pipelines_and_plugins_are_listed(lived_in: Site) -> None:
    [pipeline] = lived_in.json("pipeline", "list")["pipelines"]
    [plugin] = lived_in.json("plugin", "list")["plugins"]

    assert [node["id"] for node in pipeline["nodes"]] == ["greet", "sign"]
    assert [command["name"] for command in plugin["commands"]] == ["handle", "sign"]


def test_one_pipeline_is_shown_step_by_step(lived_in: Site) -> None:
    ended = lived_in.run("pipeline", "show", "hello")

    assert ended.output.splitlines()[-3:] == [
        "└─ on hello.said",
        "   ├─ greet  hello.handle",
        "   └─ sign  hello.sign",
    ]


def test_a_plugin_runs_by_itself(site: Site) -> None:
    ended = site.run("plugin", "run", "hello")

    assert ended.code == 0, ended.text
    assert "greeting.txt" in ended.output


def test_a_chain_that_fails_ends_the_command_with_1(site: Site) -> None:
    with (site.directory / "config.yaml").open("a") as config:
        config.write("plugins: {hello: {retry: {max_attempts: 1}}}\n")

    ended = site.run("plugin", "run", "hello", "sign")

    assert ended.code == 1
    assert re.search(r"attempts +1 failed after .*, exit code 1", ended.output)
    assert re.search(r"stderr +cat: .*greeting\.txt", ended.output)


def test_whoever_starts_it_may_ignore_the_ends_of_children(site: Site) -> None:
    fail = site.directory / "plugins" / "hello" / "run.sh"
    fail.write_text('#!/bin/sh\ncat >/dev/null\necho \'{"status": "ok"}\'\nexit 3\n')
    with (site.directory / "config.yaml").open("a") as config:
        config.write("plugins: {hello: {retry: {max_attempts: 1}}}\n")
    starter = (
        "import os, signal, sys\n"
        "signal.signal(signal.SIGCHLD, signal.SIG_IGN)\n"
        "os.execv(sys.executable, [sys.executable, '-m', 'ductile', *sys.argv[1:]])\n"
    )

    ended = subprocess.run(
        [sys.executable, "-c", starter, "--config", site.directory, "plugin", "run", "hello"],
        capture_output=True,
        text=True,
    )

    assert (ended.returncode, "exit code 3" in ended.stdout) == (1, True), ended.stdout


def test_a_command_that_does_not_wait_to_the_end_says_how_to_look_again(site: Site) -> None:
    ended = site.run("plugin", "run", "hello", "sign", "--wait", "1s")

    assert ended.code == 1
    assert "hello.sign  next attempt at" in ended.errors
    assert re.search(r'not at its end after 1s; look again with "ductile job inspect', ended.errors)


def test_the_folder_of_a_plugin_is_checked_by_itself(site: Site) -> None:
    folder = site.directory / "plugins" / "hello"
    good = ductile("plugin", "check", str(folder))
    (folder / "run.sh").chmod(0o644)
    bad = ductile("plugin", "check", str(folder))

    assert (good.code, bad.code) == (0, 3)
    assert good.output == "all in order: hello 1.0.0, which does handle, sign\n"
    assert 'entrypoint "run.sh" is not executable' in bad.output


def test_a_file_is_checked_before_it_is_among_the_pipelines(site: Site, tmp_path: Path) -> None:
    draft = tmp_path / "draft.yaml"
    draft.write_text("pipelines:\n- {name: twice, on: a.b, steps: [{call: hello}, {uses: helo}]}\n")

    ended = site.run("pipeline", "check", str(draft))

    assert ended.code == 3
    assert 'no plugin named "helo"' in ended.output
    assert 'did you mean "hello"?' in ended.output
    assert "1 problem in 1 file" in ended.output


def test_the_payload_is_taken_from_a_file_and_from_stdin(site: Site, tmp_path: Path) -> None:
    file = tmp_path / "payload.json"
    file.write_text('{"from": "file"}')
    arguments = ["--config", str(site.directory), "pipeline", "run", "hello", "--json"]

    by_file = ductile(*arguments, "--payload", f"@{file}")
    by_stdin = subprocess.run(
        [sys.executable, "-m", "ductile", *arguments, "--payload", "-"],
        input='{"from": "stdin"}',
        capture_output=True,
        text=True,
    )

    assert json.loads(by_file.output)["event"]["payload"] == {"from": "file"}
    assert json.loads(by_stdin.stdout)["event"]["payload"] == {"from": "stdin"}
