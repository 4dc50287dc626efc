"""The worst answers and the worst trees of plugins, through a gateway that goes on after each."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ductile.insights.insights import Insights
from ductile.insights.shapes import chain_json
from ductile.model.clock import SystemClock
from ductile.model.job import Job, JobStatus
from ductile.model.json import encode
from ductile.telemetry.signals import PartFailed
from tests.support.scripts import OK
from tests.support.site import Chain, Running, Site

MIB = 1024 * 1024


@dataclass(frozen=True)
class House:
    """One gateway for all of them."""

    running: Running
    stdout: Path
    """What the plugin `say` prints."""
    script: Path
    """What the plugin `make` runs in its workspace."""

    def finish(self, event: str) -> Chain:
        """A chain that has ended, told to the end, with nothing that the gateway stumbled over."""
        chain = self.running.finish(event)
        assert not self.running.signals.of(PartFailed)
        # What came of it can be told, whatever it is.
        clock = SystemClock()
        view = Insights(self.running.gateway.store, clock).chain_of(chain.jobs[0].id)
        encode(chain_json(view))
        return chain

    def say(self, stdout: bytes) -> Job:
        """The job of a plugin that printed these bytes."""
        self.stdout.write_bytes(stdout)
        return self.finish("say").job("say")

    def make(self, script: str) -> Chain:
        """A job that ran these commands, and one that began with what was left."""
        self.script.write_text(script)
        return self.finish("make")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    root = tmp_path_factory.mktemp("worst")
    site, stdout, script = Site(root), root / "stdout", root / "script"
    stdout.touch()
    site.plugin("say", f"cat >/dev/null\ncat {stdout}\n")
    site.plugin("make", f'cat >/dev/null\n. {script} >&2\nprintf \'{{"status":"ok"}}\'\n')
    site.plugin("next", OK)
    once = {"retry": {"max_attempts": 1}}
    site.config["plugins"] = {"say": once, "make": once, "next": once}
    site.pipeline(
        """
        - {name: say, on: say, steps: [{uses: say}]}
        - {name: make, on: make, steps: [{uses: make}, {uses: next}]}
        """
    )
    with site.running() as running:
        yield House(running, stdout, script)


def ok(**fields: Any) -> bytes:
    return json.dumps({"status": "ok", **fields}).encode()


def deep(levels: int) -> bytes:
    return b'{"status":"ok","state_updates":{"a":' + b"[" * levels + b"]" * levels + b"}}"


# --- answers ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stdout", "error"),
    [
        pytest.param(b'{"status":"ok","state_updates":{"a":NaN}}', "found an error", id="NaN"),
        pytest.param(b'{"status":"ok","state_updates":{"a":1e999}}', "infinity", id="infinity"),
        pytest.param(b'{"status":"ok","a":' + b"9" * 5000 + b"}", "infinity", id="5,000 digits"),
        pytest.param(b'{"status":"ok","a":"\xff"}', "0xff, which is not UTF-8", id="not UTF-8"),
        pytest.param(b'{"status":"ok","a":"\xed\xa0\x80"}', "not UTF-8", id="surrogate bytes"),
        pytest.param(b'{"status":"ok","a":"\\ud800"}', "surrogate", id="lone surrogate"),
        pytest.param(ok().decode().encode("utf-16"), "not UTF-8", id="UTF-16"),
        pytest.param(b'{"status":"ok"}{"status":"ok"}', "found more behind it", id="two documents"),
        pytest.param(b'{"status":"ok"}\0', "found more behind it", id="NUL at the end"),
        pytest.param(deep(99) + b"]", "found more behind it", id="one bracket too many"),
        pytest.param(deep(99), "nested 100 levels deep at the most", id="deep"),
        pytest.param(deep(100_000), "expected one JSON object", id="very deep"),
        pytest.param(b"[" * 5_000_000, "expected one JSON object", id="brackets only"),
        pytest.param(ok(result=1), '"result" to be a string', id="number as result"),
        pytest.param(
            ok(state_updates={"a": "x" * 2 * MIB}), "baggage may take", id="2 MiB of baggage"
        ),
        pytest.param(ok(a="x" * 10 * MIB), "wrote more than 10MiB to stdout", id="over 10 MiB"),
        pytest.param(ok(events=[{"type": "x\0"}] * 3 + [{}]), "events[3].type", id="no type"),
        pytest.param(b"", "found nothing", id="nothing"),
        pytest.param(b" " * 1000, "found nothing", id="white space"),
    ],
)
def test_an_answer_that_is_none_fails_its_job_with_one_clear_line(
    house: House, stdout: bytes, error: str
) -> None:
    job = house.say(stdout)
    assert (job.status, job.attempt) == (JobStatus.FAILED, 1)
    assert job.last_error is not None
    assert error in job.last_error
    assert "\n" not in job.last_error
    assert len(job.last_error) < 500


@pytest.mark.parametrize(
    "stdout",
    [
        pytest.param(b"\xef\xbb\xbf" + ok(), id="byte order mark"),
        pytest.param(b'{"status":"error","status":"ok"}', id="duplicate key"),
        pytest.param(deep(98), id="just not too deep"),
        pytest.param(ok(result="x" * (10 * MIB - 100)), id="10 MiB of result"),
        pytest.param(ok(state_updates={"a": "\0\ufeff\u202e\U0010ffff"}), id="odd characters"),
        pytest.param(ok(state_updates={"": 1, "__proto__": {}, "a.b": 2}), id="odd keys"),
        pytest.param(ok(state_updates={"n": 2**64 - 1, "m": -(2**63)}), id="64 bits"),
        pytest.param(ok(events=[{"type": "nobody.listens"}] * 2000), id="2,000 events"),
        pytest.param(ok(logs=[{"message": "x" * 5000}] * 500), id="2 MiB of logs"),
    ],
)
def test_an_odd_answer_that_is_right_is_taken(house: House, stdout: bytes) -> None:
    assert house.say(stdout).last_error is None


pieces = st.sampled_from(
    [
        b"{",
        b"}",
        b"[",
        b"]",
        b'"',
        b":",
        b",",
        b"\\",
        b"\\u0000",
        b"\\ud83d",
        b"\xff",
        b"\xef\xbb\xbf",
        b"\0",
        b"-",
        b"1e999",
        b"NaN",
        b"null",
        b'"status":"ok"',
        b'{"status":"ok"}',
        b'{"status":"ok","state_updates":{',
        b'"events":[',
        b"\n",
    ]
)


@given(st.lists(pieces, max_size=12).map(b"".join))
def test_no_answer_makes_the_gateway_stumble(house: House, stdout: bytes) -> None:
    job = house.say(stdout)
    assert job.status.terminal
    assert job.status is JobStatus.SUCCEEDED or "\n" not in str(job.last_error or "\n")


# --- trees -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("script", "error"),
    [
        pytest.param("mkfifo pipe", '"pipe" is a named pipe', id="pipe"),
        pytest.param("mkdir -p a/b && mkfifo a/b/pipe", '"a/b/pipe" is a named', id="deep pipe"),
        pytest.param(
            f"{sys.executable} -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"s\")'",
            '"s" is a socket',
            id="socket",
        ),
        pytest.param(
            "ln ../../../stdout stolen", '"stolen" has another name outside', id="link out"
        ),
    ],
)
def test_a_tree_that_cannot_be_kept_fails_its_job_and_says_by_what(
    house: House, script: str, error: str
) -> None:
    job = house.make(script).job("make")
    assert job.status is JobStatus.FAILED
    assert error in str(job.last_error)


@pytest.mark.parametrize(
    ("script", "paths"),
    [
        pytest.param('printf x >"$(printf "new\\nline")"', ["new\nline"], id="new line"),
        pytest.param('printf x >"$(printf "a\\377b")"', ["a\udcffb"], id="not UTF-8"),
        pytest.param(f"printf x >{255 * 'n'}", [255 * "n"], id="255 bytes"),
        pytest.param(
            "printf x >'..x'; printf x >...; printf x >-rf", ["-rf", "...", "..x"], id="dots"
        ),
        pytest.param("ln -s /etc/passwd a; ln -s ../../.. b", ["a", "b"], id="links that lead out"),
        pytest.param("ln -s loop loop; ln -s b a; ln -s a b", ["a", "b", "loop"], id="circles"),
        pytest.param("printf x >s; chmod 6755 s", ["s"], id="setuid"),
        pytest.param("mkdir d; printf x >d/f; chmod 0 d/f d", ["d/f"], id="no permission"),
        pytest.param(
            "d=.; for n in $(seq 100); do d=$d/d; done; mkdir -p $d; printf x >$d/f",
            ["d/" * 100 + "f"],
            id="100 levels",
        ),
    ],
)
def test_an_odd_tree_is_kept_recorded_and_handed_on(
    house: House, script: str, paths: list[str]
) -> None:
    chain = house.make(script)
    made, following = chain.job("make"), chain.job("next")
    assert (made.last_error, following.last_error) == (None, None)
    artifacts = chain.records.artifacts[made.id]
    assert [each.path for each in artifacts] == paths
    assert all(each.symlink or each.mode & 0o7222 == 0 for each in artifacts)
    workspace = house.running.workspace(following)
    for each in artifacts:
        found = (workspace / each.path).lstat()
        assert found.st_mode & 0o6000 == 0


def test_ten_thousand_files_are_recorded_and_handed_on(house: House) -> None:
    chain = house.make("seq 10000 | split -l 1 -a 4 -")
    assert [job.status for job in chain.jobs] == [JobStatus.SUCCEEDED] * 2
    assert len(chain.records.artifacts[chain.job("make").id]) == 10_000
