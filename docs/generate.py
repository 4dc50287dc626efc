"""Writes what is generated in these pages: what examples of wrong pipelines come to."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.support.page_examples import filled, make_gateway  # noqa: E402 - the path comes first

PAGES = (ROOT / "docs" / "reference" / "pipeline-errors.md",)


def main() -> None:
    """Write every page anew."""
    with tempfile.TemporaryDirectory() as folder:
        gateway = make_gateway(Path(folder) / "gateway")
        for page in PAGES:
            page.write_text(filled(page, gateway), encoding="utf-8")


if __name__ == "__main__":
    main()
