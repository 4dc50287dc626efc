"""A plugin whose gateway was killed, and that tries to outlive it."""

from __future__ import annotations

import os
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
