"""Reading a manifest and trusting what it names."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ductile.documents.problems import Problem
from ductile.plugin.manifest import CommandType, Manifest, read_manifest

from .building import SMALL, a_plugin

FULL = """\
manifest_spec: ductile.plugin
manifest_version: 1
name: fetch
version: 1.2.3
protocol: 2
entrypoint: run.sh
description: Fetches pages.
concurrency_safe: false
commands:
  - name: handle
    type: write
    description: Fetch one.
    input_schema: {url: string}
    output_schema: {type: object}
    values: {consume: [payload.url], emit: [{event: fetched, values: [payload.body]}]}
    idempotent: true
    retry_safe: true
  - {name: poll, type: read}
config_keys:
  required: [token]
  optional: [base_url]
fact_outputs:
  - {when: {command: poll}, from: state_updates, fact_type: seen}
"""


def accepted(path: Path) -> Manifest:
    manifest, problems = read_manifest(path)
    assert problems == []
    assert manifest is not None
    return manifest


def refused(path: Path) -> Problem:
    """The one problem that there is."""
    manifest, problems = read_manifest(path)
    assert manifest is None
    assert len(problems) == 1, problems
    return problems[0]


def test_a_full_manifest_is_read(tmp_path: Path) -> None:
    manifest = accepted(a_plugin(tmp_path, FULL))

    assert (manifest.name, manifest.version, manifest.description) == (
        "fetch",
        "1.2.3",
        "Fetches pages.",
    )
    assert not manifest.concurrency_safe
    assert manifest.required_config == ("token",)
    assert manifest.optional_config == ("base_url",)
    handle = manifest.commands["handle"]
    assert (handle.type, handle.description) == (CommandType.WRITE, "Fetch one.")
    assert handle.input_schema == {"url": "string"}


def test_a_small_manifest_has_defaults(tmp_path: Path) -> None:
    manifest = accepted(a_plugin(tmp_path))

    assert (manifest.version, manifest.description, manifest.concurrency_safe) == ("", "", True)


@pytest.mark.parametrize(
    ("lines", "preload"),
    [
        ("", None),
        ("runtime: python\n", ()),
        ("runtime: python\npreload: [json, urllib.request, json]\n", ("json", "urllib.request")),
    ],
)
def test_a_runtime_says_what_is_preloaded(
    tmp_path: Path, lines: str, preload: tuple[str, ...] | None
) -> None:
    assert accepted(a_plugin(tmp_path, SMALL + lines)).preload == preload


def test_an_unknown_runtime_is_refused_with_the_one_that_there_is(tmp_path: Path) -> None:
    problem = refused(a_plugin(tmp_path, SMALL + "runtime: pyton\n"))

    assert problem.message == 'expected "python", found "pyton"'
    assert problem.hint == 'did you mean "python"?'


@pytest.mark.parametrize("name", ["json; import os", "", ".json", "a b", "-m"])
def test_what_is_preloaded_has_to_be_a_name(tmp_path: Path, name: str) -> None:
    problem = refused(a_plugin(tmp_path, SMALL + f'runtime: python\npreload: ["{name}"]\n'))

    assert problem.message == f'"{name}" is not the name of a Python module'


def test_preload_without_a_runtime_is_a_warning(tmp_path: Path) -> None:
    manifest, [problem] = read_manifest(a_plugin(tmp_path, SMALL + "preload: [json]\n"))

    assert manifest is not None
    assert (manifest.preload, problem.warning) == (None, True)
    assert problem.hint == 'add "runtime: python", or remove preload'


def test_a_version_that_looks_like_a_number_is_taken(tmp_path: Path) -> None:
    assert accepted(a_plugin(tmp_path, SMALL + "version: 1.5\n")).version == "1.5"


def test_keys_without_a_value_count_as_left_out(tmp_path: Path) -> None:
    text = SMALL + "description:\nconfig_keys:\n  required:\n  optional:\n"

    assert accepted(a_plugin(tmp_path, text)).required_config == ()


@pytest.mark.parametrize(
    ("command", "private"),
    [
        ("{name: poll, type: read}", True),
        ("{name: handle, type: write}", False),
        ("{name: poll, type: read, state: baggage}", False),
        ("{name: handle, type: write, state: private}", True),
    ],
)
def test_only_poll_keeps_its_state_updates_to_itself_unless_the_manifest_says_otherwise(
    tmp_path: Path, command: str, private: bool
) -> None:
    text = SMALL.replace("{name: handle, type: write}", command)

    (found,) = accepted(a_plugin(tmp_path, text)).commands.values()

    assert found.private is private


def test_the_bundled_misbehaving_plugins_have_right_manifests() -> None:
    for path in sorted((Path(__file__).parents[2] / "plugins").glob("*/manifest.yaml")):
        assert accepted(path).name == path.parent.name


def test_an_unknown_key_is_a_warning(tmp_path: Path) -> None:
    manifest, problems = read_manifest(a_plugin(tmp_path, SMALL + "colour: red\n"))

    assert manifest is not None
    assert [(p.message, p.warning) for p in problems] == [
        ('unknown key "colour" in a manifest', True)
    ]


@pytest.mark.parametrize(
    ("old", "new", "message", "line"),
    [
        ("manifest_spec: ductile.plugin", "manifest_spec: x", 'expected "ductile.plugin"', 1),
        (
            "manifest_version: 1",
            "manifest_version: 2",
            "manifest_version 2 is not supported",
            2,
        ),
        ("name: fetch", 'name: "a.b"', '"a.b" is not a name', 3),
        ("protocol: 2", "protocol: 1", "protocol 1 is not supported", 4),
        ("type: write}", "type: wirte}", 'expected "read" or "write", found "wirte"', 6),
        ("[{name: handle, type: write}]", "[handle]", "expected a mapping", 6),
        (
            "[{name: handle, type: write}]",
            "[{name: a, type: read}, {name: a, type: read}]",
            'command "a" stands twice',
            6,
        ),
        ("name: fetch\n", "", 'missing key "name" in a manifest', 1),
    ],
)
def test_what_is_wrong_is_shown_at_its_place(
    tmp_path: Path, old: str, new: str, message: str, line: int
) -> None:
    problem = refused(a_plugin(tmp_path, SMALL.replace(old, new)))

    assert problem.message.startswith(message)
    assert problem.place is not None
    assert (problem.place.file, problem.place.line) == (str(tmp_path / "manifest.yaml"), line)


def test_everything_that_is_wrong_is_reported_at_once(tmp_path: Path) -> None:
    text = SMALL.replace("name: fetch", "name: 5").replace("protocol: 2", "protocol: 1")

    _, problems = read_manifest(a_plugin(tmp_path, text, executable=False))

    assert [p.place and p.place.line for p in problems] == [3, 4, 5]


def test_a_manifest_that_is_not_yaml_is_explained(tmp_path: Path) -> None:
    assert "not YAML" in refused(a_plugin(tmp_path, "name: [")).message


def test_a_manifest_that_cannot_be_read_is_explained(tmp_path: Path) -> None:
    problem = refused(tmp_path / "manifest.yaml")

    assert problem.message == "the manifest cannot be read: No such file or directory"


# Trust


def entrypoint(text: str) -> str:
    return SMALL.replace("entrypoint: run.sh", f"entrypoint: {text}")


def test_the_entrypoint_is_absolute_with_symlinks_resolved(tmp_path: Path) -> None:
    path = a_plugin(tmp_path / "plugin", entrypoint("link"))
    (tmp_path / "plugin" / "link").symlink_to("run.sh")

    assert accepted(path).entrypoint_path == (tmp_path / "plugin" / "run.sh").resolve()


def test_a_plugin_reached_through_a_symlinked_root_is_accepted(tmp_path: Path) -> None:
    a_plugin(tmp_path / "real")
    (tmp_path / "link").symlink_to("real")

    manifest = accepted(tmp_path / "link" / "manifest.yaml")

    assert manifest.directory == (tmp_path / "real").resolve()


@pytest.mark.parametrize("text", ["../other", "/bin/sh", "link"])
def test_an_entrypoint_outside_of_the_folder_is_refused(tmp_path: Path, text: str) -> None:
    path = a_plugin(tmp_path / "plugin", entrypoint(text))
    (tmp_path / "other").write_text("#!/bin/sh\n")
    (tmp_path / "other").chmod(0o755)
    (tmp_path / "plugin" / "link").symlink_to(tmp_path / "other")

    assert "is not inside the plugin's folder" in refused(path).message


def test_an_entrypoint_that_is_missing_is_refused(tmp_path: Path) -> None:
    assert "cannot be found: No such file" in refused(a_plugin(tmp_path, entrypoint("x"))).message


def test_an_entrypoint_that_links_to_itself_is_refused(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")

    assert "cannot be found" in refused(a_plugin(tmp_path, entrypoint("loop"))).message


@pytest.mark.parametrize("kind", [Path.mkdir, os.mkfifo])
def test_an_entrypoint_that_is_no_regular_file_is_refused(tmp_path: Path, kind: object) -> None:
    path = a_plugin(tmp_path, entrypoint("odd"))
    assert callable(kind)
    kind(tmp_path / "odd")

    assert "is not a regular file" in refused(path).message


def test_the_folder_itself_is_no_entrypoint(tmp_path: Path) -> None:
    assert "is not a regular file" in refused(a_plugin(tmp_path, entrypoint("."))).message


def test_an_entrypoint_that_is_not_executable_is_refused_with_the_remedy(tmp_path: Path) -> None:
    problem = refused(a_plugin(tmp_path, executable=False))

    assert problem.message == 'entrypoint "run.sh" is not executable'
    assert problem.hint == f'run "chmod +x {tmp_path.resolve() / "run.sh"}"'


def test_a_folder_that_everybody_may_write_to_is_refused(tmp_path: Path) -> None:
    path = a_plugin(tmp_path)
    tmp_path.chmod(0o777)

    assert "the folder of entrypoint" in refused(path).message


def test_an_entrypoint_that_everybody_may_change_is_refused(tmp_path: Path) -> None:
    path = a_plugin(tmp_path)
    (tmp_path / "run.sh").chmod(0o757)

    assert 'entrypoint "run.sh" can be changed by every user' in refused(path).message


@pytest.mark.parametrize(
    ("values", "emits"),
    [
        (
            "{emit: [{event: fetched, values: [payload.body]}, {event: missing}]}",
            ("fetched", "missing"),
        ),
        ("{emit: []}", ()),
        ("{consume: [payload.url]}", None),
        ("{emit: fetched}", None),
        ("{emit: [{event: fetched}, {evnt: missing}]}", None),
        ("[emit]", None),
    ],
)
def test_what_a_command_emits_is_known_only_where_every_entry_names_a_type(
    tmp_path: Path, values: str, emits: tuple[str, ...] | None
) -> None:
    text = SMALL.replace("type: write", f"type: write, values: {values}")
    manifest, problems = read_manifest(a_plugin(tmp_path / "fetch", text))
    assert manifest is not None
    assert (manifest.commands["handle"].emits, problems) == (emits, [])
