"""Which pipeline is meant: by name as the files have it, or in a version that ever ran."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from ductile.cli.commands import Asked
from ductile.cli.render.text import short_hash
from ductile.cli.session import configuration, ledger, usable_configuration
from ductile.documents.suggest import hint
from ductile.dsl.graph import Pipeline
from ductile.errors import NotFound, UsageError
from ductile.gateway.configuration import Configuration
from ductile.model.ids import PipelineHash

_SCHEME: Final = "blake3:"
_HASH = re.compile(r"[0-9a-f]{4,64}")


def find_pipeline(found: Configuration, name: str) -> Pipeline:
    """The pipeline of that name. Raises NotFound."""
    _, _, catalogue = found.parts()
    pipeline = catalogue.get(name)
    if pipeline is None:
        remedy = hint(name, catalogue.pipelines) or f'write one in "{found.directory}/pipelines"'
        raise NotFound(f'no pipeline named "{name}"; {remedy}')
    return pipeline


def find_named(asked: Asked, text: str) -> Pipeline:
    """What `NAME` or `NAME@HASH` means. Raises as `find_version` does."""
    name, at, version = text.partition("@")
    return find_version(asked, name, version if at else None)


def find_version(asked: Asked, name: str, version: str | None) -> Pipeline:
    """The pipeline as the files have it, or in the version whose hash begins like this.

    A version need not be in the files any more if it ever ran. Raises NotFound for what there
    is none of, and UsageError for what is no hash or is the beginning of several.
    """
    if version is None:
        return find_pipeline(usable_configuration(asked), name)
    begins = version.removeprefix(_SCHEME)
    if not _HASH.fullmatch(begins):
        raise UsageError(
            f'"{version}" is not the beginning of a version; write at least 4 of its hex digits, '
            'as "ductile run list" shows them'
        )
    current = _current(asked, name)
    ran = _ran(asked, name)
    known = dict.fromkeys([*([current.hash] if current else []), *ran])
    meant = [each for each in known if each.startswith(_SCHEME + begins)]
    if len(meant) > 1:
        raise UsageError(f'several versions of "{name}" begin like "{begins}": {_listed(meant)}')
    if not meant:
        remedy = f"there are {_listed(list(known))}" if known else "none has ever run"
        raise NotFound(f'no version of pipeline "{name}" begins like "{begins}"; {remedy}')
    if current is not None and current.hash == meant[0]:
        return current
    with ledger(asked) as opened:
        return opened.insights.version(meant[0])


def _current(asked: Asked, name: str) -> Pipeline | None:
    """The pipeline as the files have it; None, too, where they are not usable."""
    catalogue = configuration(asked).catalogue
    return catalogue.get(name) if catalogue else None


def _ran(asked: Asked, name: str) -> Sequence[PipelineHash]:
    settings = configuration(asked).settings
    if settings is not None and not settings.database.exists():
        return ()
    with ledger(asked) as opened:
        return opened.insights.versions(name)


def _listed(hashes: Sequence[PipelineHash]) -> str:
    return ", ".join(short_hash(each) for each in hashes)
