"""Joins: the files of what follows several branches."""

from __future__ import annotations

import pytest

from tests.integration.language.seen import differences, files_of, run_of
from tests.support.site import Site

REPLACE = 'cat >/dev/null\necho "$0" | sed "s,.*/plugins/,,;s,/run,," >.f && mv -f .f f\n'
DONE = 'echo \'{"status": "ok"}\'\n'


@pytest.fixture
def files(site: Site) -> Site:
    """Plugins that make `f` anew, each with its name in it."""
    for name in ("base", "left", "right"):
        site.plugin(name, REPLACE + f"echo x >{name}.txt\n" + DONE)
    site.plugin("remove", "cat >/dev/null\nrm -f f\n" + DONE)
    return site


@pytest.mark.parametrize(
    ("branches", "expected"),
    [
        ("[{uses: left}, {uses: ok}]", "left"),
        ("[{uses: ok}, {uses: left}]", "left"),
        ("[{uses: left}, {uses: right}]", "right"),
        ("[{uses: right}, {uses: left}, {uses: ok}]", "left"),
        ("[{uses: ok}, {uses: two}]", "base"),
        ("[{uses: left}, {uses: remove}]", "left"),
        ("[{uses: remove}, {uses: left}]", "left"),
        ("[{uses: left}, {uses: ok, workspace: copy}]", "left"),
        ("[{uses: left, if: {path: payload.no, op: exists}}, {uses: right}]", "right"),
        ("[{uses: right}, {uses: left, if: {path: payload.no, op: exists}}]", "right"),
        ("[{steps: [{split: [{uses: left}, {uses: ok}]}, {uses: two}]}, {uses: three}]", "left"),
    ],
)
@pytest.mark.parametrize("workspace", ["clone", "copy"])
def test_the_later_change_of_a_file_counts_and_one_that_was_left_alone_undoes_none(
    files: Site, branches: str, expected: str, workspace: str
) -> None:
    files.pipeline(
        f"""
        - name: p
          on: go
          steps:
            - uses: base
            - split: {branches}
            - {{id: after, uses: ok, workspace: {workspace}}}
        """
    )
    with files.running() as running:
        chain = running.finish("go")
        after = chain.job("after")
        assert run_of(chain).reason is None
        assert files_of(running, after)["f"] == f"{expected}\n"
        assert differences(files, running, after) == []


def test_its_workspace_has_the_files_of_all_branches(files: Site) -> None:
    files.pipeline(
        """
        - name: p
          on: go
          steps: [{uses: base}, {split: [{uses: left}, {uses: right}]}, {id: after, uses: ok}]
        """
    )
    with files.running() as running:
        chain = running.finish("go")
        found = files_of(running, chain.job("after"))
        assert differences(files, running, chain.job("after")) == []
    assert set(found) == {"f", "base.txt", "left.txt", "right.txt"}


@pytest.mark.parametrize("start", ["", "{uses: base}, "])
def test_two_joins_one_after_the_other_hand_on_all_files(files: Site, start: str) -> None:
    files.pipeline(
        f"""
        - name: p
          on: go
          steps:
            - split: [{{steps: [{start}{{uses: left}}]}}, {{uses: ok}}]
            - split: [{{id: a, uses: ok}}, {{uses: right}}]
            - {{id: after, uses: ok}}
        """
    )
    with files.running() as running:
        chain = running.finish("go")
        found = files_of(running, chain.job("after"))
        assert differences(files, running, chain.job("after")) == []
    assert found["f"] == "right\n"
    assert {"left.txt", "right.txt"} <= set(found)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("[{uses: left}, {uses: ok}]", "[{uses: right}, {uses: two}]"),
        ("[{uses: ok}, {uses: left}]", "[{uses: right}, {uses: two}]"),
        ("[{uses: left}, {uses: ok}]", "[{uses: two}, {uses: right}]"),
        ("[{uses: ok}, {uses: left}]", "[{uses: two}, {uses: right}]"),
    ],
)
def test_a_file_that_a_join_handed_on_undoes_no_change_at_the_next_one(
    files: Site, first: str, second: str
) -> None:
    files.pipeline(
        f"""
        - name: p
          on: go
          steps: [{{uses: base}}, {{split: {first}}}, {{split: {second}}}, {{id: after, uses: ok}}]
        """
    )
    with files.running() as running:
        chain = running.finish("go")
        found = files_of(running, chain.job("after"))
        assert differences(files, running, chain.job("after")) == []
    assert found["f"] == "right\n"


def test_skipped_branches_after_a_join_hand_on_the_files_of_all_that_it_gathered(
    files: Site,
) -> None:
    files.pipeline(
        """
        - name: p
          on: go
          steps:
            - split: [{uses: left}, {uses: right}]
            - split:
                - {id: a, uses: ok, if: {path: payload.no, op: exists}}
                - {id: b, uses: ok, if: {path: payload.no, op: exists}}
            - {id: after, uses: ok}
        """
    )
    with files.running() as running:
        chain = running.finish("go")
        found = files_of(running, chain.job("after"))
        assert differences(files, running, chain.job("after")) == []
    assert found["f"] == "right\n"
    assert {"left.txt", "right.txt"} <= set(found)
