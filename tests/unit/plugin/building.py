"""Building a plugin's folder."""

from __future__ import annotations

from pathlib import Path

SMALL = """\
manifest_spec: ductile.plugin
manifest_version: 1
name: fetch
protocol: 2
entrypoint: run.sh
commands: [{name: handle, type: write}]
"""


def a_plugin(folder: Path, manifest: str = SMALL, *, executable: bool = True) -> Path:
    """The manifest of a plugin that was written to `folder`."""
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
    script = folder / "run.sh"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755 if executable else 0o644)
    path = folder / "manifest.yaml"
    path.write_text(manifest)
    return path
