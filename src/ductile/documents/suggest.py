"""Did-you-mean: the known word that is closest to a wrong one."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches

from ductile.documents.problems import quoted

#: Longer words are not typing mistakes, and comparing them takes quadratic time.
_LONGEST = 100
#: So many names fit into a hint.
_SHOWN = 8


def did_you_mean(word: str, known: Collection[str]) -> str | None:
    """The known word that `word` was most likely meant to be; None if none is close."""
    if len(word) > _LONGEST:
        return None
    by_folded = {name.casefold(): name for name in sorted(known, reverse=True)}
    close = get_close_matches(word.casefold(), sorted(by_folded), n=1)
    return by_folded[close[0]] if close else None


def hint(word: str, known: Collection[str]) -> str | None:
    """The closest known word as a question, or what there is to choose from."""
    if meant := did_you_mean(word, known):
        return f'did you mean "{meant}"?'
    if not known:
        return None
    names = sorted(known)
    rest = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"known are {', '.join(quoted(name) for name in names[:_SHOWN])}{rest}"
