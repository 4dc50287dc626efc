"""Whatever is written on the command line, it is answered clearly, and nothing is changed."""

from __future__ import annotations

import sys
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ductile.model.ids import new_id
from tests.support.made_site import Site, made
from tests.support.terminal import ductile

#: What only looks, or has to refuse what is written here.
WORDS = (
    *("config check", "pipeline list", "pipeline show", "pipeline graph", "pipeline diff"),
    *("pipeline explain", "pipeline run", "plugin list", "plugin run", "job list", "job inspect"),
    *("run list", "run show", "run verify", "run cancel", "workspace path", "inbox list"),
    *("inbox show", "inbox resend", "inbox simulate", "schema", "db status", "db check"),
    *("", "job", "nonsense", "job nonsense"),
)
OPTIONS = (
    *("--json", "--limit", "--before", "--status", "--plugin", "--pipeline", "--endpoint"),
    *("--verdict", "--event", "--body", "--header", "--payload", "--wait", "--no-wait"),
    *("--dedupe-key", "--delivery-id", "--signing-key", "--all", "--help", "--debugging", "-x"),
)
VALUES = (
    *("hello", "hello.nothing", "failed", "-1", "0", "1", "9" * 400, "1e9", "1ms", "{}", "[", "-"),
    *("@/none", "/none", "/dev/null", "", " ", "--", "\n", "é" * 300, "\udcff", "\x1b[2J"),
    *("' OR '1'='1", '"; DROP TABLE job_queue; --', "../../etc/passwd", "%s", "{0}", "\u202e"),
    new_id(),
)
words = st.sampled_from(VALUES) | st.text(max_size=12).map(lambda text: text.replace("\0", ""))
lines = st.tuples(
    st.sampled_from(WORDS).map(str.split),
    st.lists(st.sampled_from(OPTIONS) | words, max_size=5),
).map(lambda parts: [*parts[0], *parts[1]])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    site = made(tmp_path_factory.mktemp("chance") / "site")
    assert site.run("pipeline", "run", "hello").code == 0
    return site


def ids(site: Site) -> list[str]:
    return [job["id"] for job in site.json("job", "list")["jobs"]]


def test_no_command_line_is_met_with_a_mistake_of_the_program(
    site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DUCTILE_CONFIG", str(site.directory))
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO()))
    before = ids(site)

    @given(lines)
    def holds(arguments: list[str]) -> None:
        ended = ductile(*arguments)
        assert ended.code in (0, 1, 2, 3), ended.text
        assert "a mistake in ductile itself" not in ended.text
        assert "Traceback" not in ended.text
        assert ended.code == 0 or ended.errors, "it failed and said nothing"

    holds()
    # Nothing but the plugin and the pipeline that there are could have been run.
    assert ids(site)[-len(before) :] == before
    assert list(tmp_path.iterdir()) == []
