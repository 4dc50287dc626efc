"""A plugin whose gateway was killed, and that tries to outlive it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from ductile.model.job import JobStatus
from tests.support.line import Line, settled
from tests.support.process import has_ended

#: The first attempt leaves something behind that writes wherever it can; later ones do not.
_PLUGIN = """\
case $(cat) in
*'"attempt":1,'*)
    {leave} sh -c '
        trap "" TERM HUP INT
        {write}
        echo $$ >"{folder}/stray"
        while :; do
            echo late >>late
            [ ! -d "$PWD.2" ] || echo late >>"$PWD.2/late"
        done' >/dev/null 2>&1 </dev/null {wait}
    ;;
esac
echo $$ >'{folder}/started'
read -r _ <'{folder}/open'
echo '{{"status": "ok"}}'
"""
#: The same in Python: the first attempt leaves a child behind in a session of its own.
_PYTHON = f"""#!{sys.executable}
import json, os, signal, sys, time
first = json.load(sys.stdin)["attempt"] == 1
if first and os.fork() == 0:
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with open("{{folder}}/stray", "w") as stray:
        stray.write(str(os.getpid()))
    while True:
        with open("late", "a") as late:
            late.write("late")
with open("{{folder}}/started", "w") as started:
    started.write(str(os.getpid()))
with open("{{folder}}/open") as gate:
    gate.readline()
print(json.dumps({{{{"status": "ok", "state_updates": {{{{"parent": os.getppid()}}}}}}}}))
"""
_INHERITED = """\
cat >/dev/null
echo inherited >inherited
echo '{"status": "ok"}'
"""
_CHANGE = "chmod u+w inherited; echo late >>inherited"
_WAYS = {
    "that ignores SIGTERM": ("", ""),
    "that left its group": ("setsid", "&"),
    "that left its group and its parent": ("(setsid", "& ) &"),
    "that emptied its environment": ("env -i setsid", "&"),
}


@pytest.mark.parametrize("way", _WAYS)
def test_a_plugin_is_gone_before_the_next_attempt_begins(tmp_path: Path, way: str) -> None:
    line = Line(tmp_path)
    gate = line.gate("second")
    os.mkfifo(gate.folder / "stray")
    leave, wait = _WAYS[way]
    line.site.plugin("first", _INHERITED)
    line.site.plugin("second", _PLUGIN.format(leave=leave, wait=wait, write="", folder=gate.folder))
    with line.running() as first:
        event_id = line.send(first)
        stray = os.pidfd_open(int((gate.folder / "stray").read_text()))
        first.kill()
        with line.running() as second:
            gate.reached()
            outlived = not has_ended(stray)
            os.close(stray)
            gate.let_through()
            settled(second, event_id)
    assert not outlived
    job = line.chain(event_id).job("second")
    held = {path.name for path in (tmp_path / "data" / "ws" / f"{job.id}.2").iterdir()}
    assert (job.attempt, held) == (2, {"inherited"})


def test_what_was_forked_from_a_warm_parent_is_gone_before_the_next_attempt(
    tmp_path: Path,
) -> None:
    line = Line(tmp_path)
    gate = line.gate("second")
    os.mkfifo(gate.folder / "stray")
    script = _PYTHON.format(folder=gate.folder)
    line.site.plugin("second", script, runtime="python", preload=["json"])
    with line.running() as first:
        event_id = line.send(first)
        stray = os.pidfd_open(int((gate.folder / "stray").read_text()))
        forked = os.pidfd_open(gate.reached())
        first.kill()
        with line.running() as second:
            gate.reached()
            outlived = not (has_ended(stray) and has_ended(forked))
            gate.let_through()
            settled(second, event_id)
            gateway = second.pid
    os.close(stray)
    os.close(forked)
    assert not outlived
    chain = line.chain(event_id)
    job = chain.job("second")
    held = {path.name for path in (tmp_path / "data" / "ws" / f"{job.id}.2").iterdir()}
    assert (job.attempt, held) == (2, {"trace"})
    assert chain.written_by(job)["parent"] != gateway


def test_what_an_orphan_changed_before_it_was_killed_is_found(tmp_path: Path) -> None:
    line = Line(tmp_path)
    gate = line.gate("second")
    os.mkfifo(gate.folder / "stray")
    line.site.plugin("first", _INHERITED)
    script = _PLUGIN.format(leave="env -i setsid", wait="&", write=_CHANGE, folder=gate.folder)
    line.site.plugin("second", script)
    with line.running() as first:
        event_id = line.send(first)
        (gate.folder / "stray").read_text()
        gate.reached()
        first.kill()
        with line.running() as second:
            settled(second, event_id)
    job = line.chain(event_id).job("second")
    assert job.status is JobStatus.FAILED
    assert "inherited" in (job.last_error or "")
