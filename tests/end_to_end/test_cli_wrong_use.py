"""Every wrong use ends in one clear message, with a remedy, and the right exit code."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from ductile.model.ids import new_id
from tests.support import process
from tests.support.terminal import ductile


@pytest.fixture
def site(tmp_path: Path) -> Path:
    directory = tmp_path / "site"
    assert ductile("init", str(directory)).code == 0
    return directory


def append(site: Path, text: str) -> None:
    with (site / "config.yaml").open("a") as config:
        config.write(text)


def test_an_unknown_noun_is_answered_with_the_one_that_was_meant() -> None:
    ended = ductile("pipelin", "list")

    assert ended.code == 2
    assert ended.errors == (
        'ductile: no command "pipelin"; did you mean "pipeline"?\ntry "ductile --help"\n'
    )


def test_an_unknown_action_is_answered_with_what_there_is() -> None:
    ended = ductile("job", "xyzzy")

    assert ended.code == 2
    assert 'no command "xyzzy"; there are list, inspect' in ended.errors
    assert 'try "ductile job --help"' in ended.errors


def test_an_unknown_option_is_wrong_use() -> None:
    ended = ductile("job", "list", "--jsn")

    assert ended.code == 2
    assert ended.errors.startswith("ductile: no such option")
    assert "--json" in ended.errors


def test_no_command_at_all_shows_what_there_is() -> None:
    ended = ductile()

    assert (ended.code, ended.output) == (2, "")
    assert "pipeline" in ended.errors


def test_a_missing_config_directory_is_said_with_the_remedy(tmp_path: Path) -> None:
    ended = ductile("config", "check", "--config", str(tmp_path / "none"))

    assert ended.code == 3
    assert f'there is no configuration in "{tmp_path / "none"}"' in ended.output
    assert f'make one with "ductile init {tmp_path / "none"}"' in ended.output


@pytest.mark.parametrize(
    "arguments",
    [
        ("serve",),
        ("job", "list"),
        ("run", "list"),
        ("pipeline", "list"),
        ("plugin", "list"),
        ("pipeline", "run", "hello"),
        ("workspace", "clean"),
        ("db", "status"),
    ],
)
def test_every_command_needs_the_config_directory(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    ended = ductile("--config", str(tmp_path), *arguments)

    assert (ended.code, ended.output) == (3, "")
    assert "there is no configuration in" in ended.errors


def test_the_config_directory_may_be_named_by_the_environment(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DUCTILE_CONFIG", str(site))

    assert ductile("config", "check").code == 0


def test_every_problem_of_every_file_is_reported_at_once(site: Path) -> None:
    append(site, 'servce: {}\nplugins: {hello: {timeouts: {handle: "5 minuts"}}}\n')

    ended = ductile("--config", str(site), "config", "check")

    assert ended.code == 3
    assert 'unknown key "servce"' in ended.output
    assert 'did you mean "service"?' in ended.output
    assert '"5 minuts" is not a duration' in ended.output
    assert "2 problems in 1 file" in ended.output


def test_problems_are_json_if_asked_for(site: Path) -> None:
    append(site, "servce: {}\n")

    ended = ductile("--config", str(site), "config", "check", "--json")

    assert ended.code == 3
    report = json.loads(ended.output)
    assert report["usable"] is False
    assert report["problems"][0]["message"].startswith('unknown key "servce"')


def test_a_warning_is_shown_and_does_not_refuse(site: Path) -> None:
    with (site / "plugins" / "hello" / "manifest.yaml").open("a") as manifest:
        manifest.write("colour: blue\n")

    ended = ductile("--config", str(site), "config", "check")

    assert ended.code == 0
    assert "colour" in ended.output
    assert "all in order: 1 pipeline, 1 plugin" in ended.output


def test_a_missing_variable_of_the_environment_is_named(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HELLO_TOKEN", raising=False)
    append(site, 'plugins: {hello: {config: {token: "${HELLO_TOKEN}"}}}\n')

    ended = ductile("--config", str(site), "serve")

    assert ended.code == 3
    assert "HELLO_TOKEN" in ended.errors


def test_what_happened_can_be_looked_at_without_the_secrets_of_the_gateway(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ductile("--config", str(site), "pipeline", "run", "hello", "--no-wait").code == 0
    monkeypatch.delenv("HELLO_TOKEN", raising=False)
    append(site, 'plugins: {hello: {config: {token: "${HELLO_TOKEN}"}}}\n')

    ended = ductile("--config", str(site), "job", "list")

    assert ended.code == 0
    assert "hello.handle" in ended.output


def test_a_variable_that_says_where_the_database_is_must_be_set(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HELLO_DATA", raising=False)
    config = site / "config.yaml"
    config.write_text(config.read_text().replace("data_dir: data", 'data_dir: "${HELLO_DATA}"'))

    ended = ductile("--config", str(site), "job", "list")

    assert ended.code == 3
    assert 'environment variable "HELLO_DATA" is not set' in ended.errors


def test_an_unknown_pipeline_is_answered_with_the_one_that_was_meant(site: Path) -> None:
    ended = ductile("--config", str(site), "pipeline", "run", "helo")

    assert ended.code == 2
    assert ended.errors == 'ductile: no pipeline named "helo"; did you mean "hello"?\n'


def test_an_unknown_command_of_a_plugin_is_answered_with_what_there_is(site: Path) -> None:
    ended = ductile("--config", str(site), "plugin", "run", "hello", "dance")

    assert ended.code == 2
    assert 'plugin "hello" has no command "dance"; it has handle, sign' in ended.errors


@pytest.mark.parametrize("payload", ["{name: world}", "", "{", '{"a": NaN}'])
def test_a_payload_that_is_not_json_is_refused(site: Path, payload: str) -> None:
    ended = ductile("--config", str(site), "pipeline", "run", "hello", "--payload", payload)

    assert ended.code == 2
    assert "--payload is not JSON" in ended.errors


def test_a_payload_file_that_is_not_there_is_named(site: Path) -> None:
    ended = ductile("--config", str(site), "pipeline", "run", "hello", "--payload", "@/no/file")

    assert ended.code == 2
    assert ended.errors == 'ductile: "/no/file" cannot be read: No such file or directory\n'


def test_a_wait_that_is_no_duration_is_refused(site: Path) -> None:
    ended = ductile("--config", str(site), "pipeline", "run", "hello", "--wait", "soon")

    assert ended.code == 2
    assert '--wait: "soon" is not a duration; write a number and a unit' in ended.errors


def test_waiting_and_not_waiting_contradict_each_other(site: Path) -> None:
    ended = ductile("--config", str(site), "pipeline", "run", "hello", "--wait", "1s", "--no-wait")

    assert ended.code == 2
    assert "--wait and --no-wait contradict each other" in ended.errors


@pytest.mark.parametrize(
    "arguments",
    [("job", "inspect"), ("run", "show"), ("workspace", "path"), ("job", "list", "--before")],
)
def test_an_unknown_id_is_wrong_use(site: Path, arguments: tuple[str, ...]) -> None:
    assert ductile("--config", str(site), "pipeline", "run", "hello", "--no-wait").code == 0
    unknown = new_id()

    ended = ductile("--config", str(site), *arguments, unknown)

    assert ended.code == 2
    assert f'has the id "{unknown}"' in ended.errors


def test_before_the_first_gateway_there_is_nothing_to_list(site: Path) -> None:
    ended = ductile("--config", str(site), "job", "list")

    assert ended.code == 1
    assert "ductile serve" in ended.errors


def test_a_workspace_that_is_not_made_yet_is_said_to_be_so(site: Path) -> None:
    handed_in = ductile("--config", str(site), "pipeline", "run", "hello", "--no-wait", "--json")
    job = json.loads(handed_in.output)["jobs"][0]["id"]

    ended = ductile("--config", str(site), "workspace", "path", job)

    assert ended.code == 1
    assert "has no workspace yet: it waits for its first attempt" in ended.errors


def test_a_port_that_is_taken_is_named(site: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        config = site / "config.yaml"
        config.write_text(config.read_text().replace(":8080", f":{port}"))

        ended = ductile("--config", str(site), "serve")

    assert (ended.code, ended.output) == (3, "")
    assert f"127.0.0.1:{port}" in ended.errors


def test_a_mistake_of_the_program_is_one_line(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: object) -> None:
        raise KeyError("oops")

    monkeypatch.setattr("ductile.cli.session.load_settings", broken)

    ended = ductile("--config", str(site), "job", "list")

    assert ended.code == 1
    assert ended.errors == (
        "ductile: a mistake in ductile itself: KeyError: 'oops'; \"--debug\" shows where\n"
    )


def test_where_a_mistake_of_the_program_is_can_be_asked_for(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*arguments: object) -> None:
        raise KeyError("oops")

    monkeypatch.setattr("ductile.cli.session.load_settings", broken)

    ended = ductile("job", "list", "--debug", "--config", str(site))

    assert ", in broken" in ended.errors


def test_a_reader_that_goes_away_ends_the_command_quietly(site: Path) -> None:
    code = "import sys; from ductile.cli.main import main; sys.stdin.read(1); main()"
    arguments = [sys.executable, "-c", code, "--config", str(site), "pipeline", "list"]
    with subprocess.Popen(
        arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdout.close()
        child.stdin.write(b"x")
        child.stdin.close()
        assert child.stderr.read() == b""


def test_an_interrupted_run_gives_its_job_back(site: Path) -> None:
    script = site / "plugins" / "hello" / "run.sh"
    script.write_text("#!/bin/sh\nexec sleep 600\n")
    config = site / "config.yaml"
    config.write_text(config.read_text().replace("service:", "service:\n  shutdown_grace: 1ms", 1))
    arguments = ("-m", "ductile", "--config", str(site), "pipeline", "run", "hello")
    with process.process(arguments, environment={"HOME": os.environ["HOME"]}) as child:
        child.wait_for("greet  running")
        ended = child.stop(signal.SIGINT)

    assert ended.code == 1
    assert ended.errors.endswith("ductile: interrupted\n")
    listed = process.run("--config", str(site), "job", "list", "--json")
    assert json.loads(listed.output)["jobs"][0]["status"] == "queued"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "there is no event to explain; give --event FILE or --payload JSON"),
        (("--event", "none.json"), '"none.json" cannot be read'),
        (("--payload", "{"), "--payload is not JSON"),
    ],
)
def test_an_event_that_cannot_be_explained_is_wrong_use(
    site: Path, arguments: tuple[str, ...], message: str
) -> None:
    ended = ductile("--config", str(site), "pipeline", "explain", "hello", *arguments)

    assert (ended.code, ended.output) == (2, "")
    assert message in ended.errors


def test_a_key_that_no_event_has_is_answered_with_the_one_that_was_meant(site: Path) -> None:
    event = site / "event.json"
    event.write_text('{"type": "hello.said", "paylod": {}}')

    ended = ductile("--config", str(site), "pipeline", "explain", "hello", "--event", str(event))

    assert ended.code == 2
    assert 'an event has no "paylod"; did you mean "payload"?' in ended.errors


def test_what_is_no_version_is_wrong_use(site: Path) -> None:
    ended = ductile("--config", str(site), "pipeline", "diff", "hello@xyz", "hello")

    assert ended.code == 2
    assert '"xyz" is not the beginning of a version' in ended.errors


def test_a_drawing_of_an_unknown_pipeline_is_answered_with_the_one_meant(site: Path) -> None:
    ended = ductile("--config", str(site), "pipeline", "graph", "helo")

    assert ended.code == 2
    assert 'did you mean "hello"?' in ended.errors
