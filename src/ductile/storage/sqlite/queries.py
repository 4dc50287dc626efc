"""Named statements, read from the `.sql` files of this folder."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

_FOLDER = Path(__file__).parent
_HEAD = re.compile(r"^-- name: (?P<name>\w+)\n-- (?P<sentence>.+)\n", re.MULTILINE)


def load(part: str) -> Mapping[str, str]:
    """The statements of `part.sql` by name.

    Each begins with `-- name: …` and a line that says what it is for.
    """
    text = (_FOLDER / f"{part}.sql").read_text(encoding="utf-8")
    heads = list(_HEAD.finditer(text))
    ends = [head.start() for head in heads[1:]] + [len(text)]
    return {
        head["name"]: text[head.end() : end].strip() for head, end in zip(heads, ends, strict=True)
    }
