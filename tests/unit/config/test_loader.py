"""From a config directory to settings, or to all that is wrong with it."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest

from ductile.config.loader import find_config_dir, load_settings
from ductile.errors import ConfigurationError

from .loading import HOME, accepted, load, refusals

# Where the directory is


def test_a_directory_that_is_named_comes_first() -> None:
    environment = {"DUCTILE_CONFIG": "/b", "HOME": "/c"}

    assert find_config_dir(Path("/a"), environment) == Path("/a")


def test_the_environment_names_the_directory_next() -> None:
    environment = {"DUCTILE_CONFIG": "/b", "HOME": "/c"}

    assert find_config_dir(None, environment) == Path("/b")


def test_the_directory_is_in_the_home_directory_otherwise() -> None:
    assert find_config_dir(None, HOME) == Path("/home/ada/.config/ductile")


def test_a_relative_directory_is_made_absolute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert find_config_dir(Path("here"), {}) == tmp_path / "here"


def test_without_a_home_the_directory_has_to_be_named() -> None:
    with pytest.raises(ConfigurationError, match="set HOME"):
        find_config_dir(None, {})


# The file as a whole


def test_what_is_left_out_has_its_default(tmp_path: Path) -> None:
    settings = accepted(tmp_path, "plugins: {}\n")

    assert settings.data_dir == Path("/home/ada/.local/share/ductile")
    assert settings.database == settings.data_dir / "ductile.db"
    assert settings.workspace.root == settings.data_dir / "ws"
    assert settings.workspace.ttl == timedelta(hours=24)
    assert settings.workspace.janitor_interval == timedelta(minutes=10)
    assert (settings.http.host, settings.http.port) == ("127.0.0.1", 8080)
    assert settings.plugin_roots == (tmp_path / "plugins",)
    assert (settings.webhooks, settings.secrets) == ((), frozenset())
    service = settings.service
    assert (service.name, service.depth_limit, service.log_level, service.log_format) == (
        "ductile",
        20,
        "info",
        "text",
    )
    assert service.max_workers == max(4, 2 * len(os.sched_getaffinity(0)))
    assert service.shutdown_grace == timedelta(seconds=10)
    assert service.lease == timedelta(seconds=60)
    assert service.max_baggage == 1024 * 1024


def test_paths_are_relative_to_what_is_documented(tmp_path: Path) -> None:
    settings = accepted(
        tmp_path,
        "data_dir: data\n"
        'state: {url: "sqlite:///db/main.db"}\n'
        "workspace: {root: work}\n"
        "plugin_roots: [mine, /opt/plugins, ~/plugins]\n",
    )

    assert settings.data_dir == tmp_path / "data"
    assert settings.database == tmp_path / "data" / "db" / "main.db"
    assert settings.workspace.root == tmp_path / "data" / "work"
    assert settings.plugin_roots == (
        tmp_path / "mine",
        Path("/opt/plugins"),
        Path("/home/ada/plugins"),
    )


def test_a_database_may_be_named_by_an_absolute_path(tmp_path: Path) -> None:
    settings = accepted(tmp_path, 'state: {url: "sqlite:////var/lib/main.db"}\n')

    assert settings.database == Path("/var/lib/main.db")


def test_a_home_directory_that_is_not_known_is_a_problem_where_it_is_needed(
    tmp_path: Path,
) -> None:
    assert refusals(tmp_path, "data_dir: ~/data\n", {}) == [
        '"~/data" cannot be found without a home directory'
    ]


def test_a_directory_without_the_file_says_how_to_make_one(tmp_path: Path) -> None:
    settings, _, (problem,) = load_settings(tmp_path, HOME)

    assert settings is None
    assert problem.message == f'there is no configuration in "{tmp_path}"'
    assert problem.hint is not None
    assert f'"ductile init {tmp_path}"' in problem.hint


def test_naming_the_file_instead_of_its_directory_is_explained(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("plugins: {}\n")

    _, _, (problem,) = load_settings(file, HOME)

    assert problem.message == f'"{file}" is not a folder'
    assert problem.hint == "name the folder that holds config.yaml"


def test_a_file_that_cannot_be_read_is_explained(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").mkdir()

    _, _, (problem,) = load_settings(tmp_path, HOME)

    assert problem.message == "the configuration cannot be read: Is a directory"


@pytest.mark.parametrize("text", ["", "\n# nothing yet\n", "---\n"])
def test_an_empty_file_is_a_problem(tmp_path: Path, text: str) -> None:
    assert refusals(tmp_path, text) == ["the configuration is empty"]


def test_a_file_that_is_not_utf_8_is_a_problem(tmp_path: Path) -> None:
    assert refusals(tmp_path, b"service: {name: \xff}\n") == ["byte 0xff is not UTF-8"]


def test_a_file_that_is_no_mapping_is_a_problem(tmp_path: Path) -> None:
    assert refusals(tmp_path, "[1]\n") == ["expected a mapping, found a list"]


def test_every_problem_is_reported_at_once_with_its_place(tmp_path: Path) -> None:
    text = (
        "service: {nmae: home, log_level: loud}\n"
        "http: {listen: nowhere}\n"
        'data_dir: "${MISSING}"\n'
        "plugins:\n"
        "  echo: {timeouts: {handle: soon}, parallelism: 0}\n"
        "webhooks: {endpoints: [{name: a}]}\n"
    )

    _, _, problems = load(tmp_path, text)

    assert [(p.place and (p.place.line, p.place.column), p.message) for p in problems] == [
        ((1, 11), 'unknown key "nmae" in service'),
        (
            (1, 34),
            'expected "debug", "info", "warning" or "error", found "loud"',
        ),
        ((2, 16), '"nowhere" is not an address to listen at'),
        ((3, 11), 'environment variable "MISSING" is not set'),
        ((5, 29), '"soon" is not a duration'),
        ((5, 49), "expected 1 or more, found the number 0"),
        ((6, 24), 'missing key "signature" in an endpoint'),
        ((6, 24), "expected either event or plugin in an endpoint, found neither"),
    ]
    assert problems[0].hint == 'did you mean "name"?'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "state: {url: postgresql://db/ductile}",
            "PostgreSQL comes with a later version; this one has SQLite",
        ),
        ("state: {url: mysql://db}", '"mysql" is not a database that this version has'),
        ("state: {url: ductile.db}", '"ductile.db" is not a database that this version has'),
        ("state: {url: 'sqlite://'}", '"sqlite://" does not name a database file'),
        ("state: {url: 'sqlite:///'}", '"sqlite:///" does not name a database file'),
        (
            "state: {url: 'sqlite:///:memory:'}",
            '"sqlite:///:memory:" does not name a database file',
        ),
        (
            "state: {url: 'sqlite:///a.db?mode=ro'}",
            '"sqlite:///a.db?mode=ro" does not name a database file',
        ),
        ("data_dir: ''", "expected a path, found an empty text"),
        ("data_dir: ~bob/data", '"~bob/data" is somebody else\'s home'),
        ('workspace: {root: "a\\0"}', "expected a path, found a null byte in it"),
        ("http: {listen: ':8080'}", '":8080" is not an address to listen at'),
        ("http: {listen: '::1:8080'}", '"::1:8080" is not an address to listen at'),
        ("http: {listen: 'localhost:70000'}", "there is no port 70000"),
        ("service: {lease: 1s}", "a lease of 1s runs out before it can be renewed"),
        ("plugins: {a.b: {}}", '"a.b" is not the name of a plugin'),
        ("plugins: {a: {env: [A=B]}}", '"A=B" is not the name of a variable'),
        ("plugins: {a: {max_stdout: 0B}}", '"0B" is no size at all'),
    ],
)
def test_a_value_that_cannot_be_is_explained(tmp_path: Path, text: str, message: str) -> None:
    assert refusals(tmp_path, text) == [message]


@pytest.mark.parametrize(
    ("listen", "host", "port"),
    [
        ("127.0.0.2:0", "127.0.0.2", 0),
        ("localhost:65535", "localhost", 65535),
        ("[::1]:8080", "::1", 8080),
    ],
)
def test_host_and_port_are_taken_apart(tmp_path: Path, listen: str, host: str, port: int) -> None:
    http = accepted(tmp_path, f"http: {{listen: '{listen}'}}\n").http

    assert (http.host, http.port) == (host, port)


# Problems that others find


def test_a_problem_is_put_at_a_value_of_the_file(tmp_path: Path) -> None:
    _, source, _ = load(tmp_path, "plugins:\n  fetch: {parallelism: 2}\n")

    problem = source.problem_at(("plugins", "fetch", "parallelism"), "m", "h", warning=True)

    assert problem.place is not None
    assert (problem.place.file, problem.place.line, problem.place.column) == (
        str(tmp_path / "config.yaml"),
        2,
        24,
    )
    assert (problem.message, problem.hint, problem.warning) == ("m", "h", True)


def test_a_problem_is_put_at_a_key_of_the_file(tmp_path: Path) -> None:
    _, source, _ = load(tmp_path, "plugins:\n  fetch: {parallelism: 2}\n")

    place = source.problem_at(("plugins", "fetch"), "m", key=True).place

    assert place is not None
    assert (place.line, place.column, place.length) == (2, 3, 5)


def test_a_problem_about_what_is_left_out_is_put_at_what_is_around_it(tmp_path: Path) -> None:
    _, source, _ = load(tmp_path, "plugins:\n  fetch: {}\n")

    place = source.problem_at(("plugins", "fetch", "config", "token"), "m").place

    assert place is not None
    assert (place.line, place.column) == (2, 10)


def test_a_problem_can_be_put_at_a_file_that_is_not_yaml(tmp_path: Path) -> None:
    _, source, _ = load(tmp_path, "a: [")

    place = source.problem_at(("a",), "m").place

    assert place is not None
    assert (place.file, place.line) == (str(tmp_path / "config.yaml"), 1)
