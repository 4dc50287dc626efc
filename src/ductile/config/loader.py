"""The loader: from a config directory to settings, or to everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ductile.config import endpoints, http
from ductile.config.interpolation import interpolate
from ductile.config.secrets import masked, secrets
from ductile.config.settings import ConfigFile, Settings, WorkspaceSettings
from ductile.config.values import database_path
from ductile.documents import yaml
from ductile.documents.files import read_file
from ductile.documents.problems import Place, Problem, in_order, quoted, refuses
from ductile.documents.validation import validate
from ductile.documents.yaml import Document
from ductile.errors import ConfigurationError

CONFIG_FILE: Final = "config.yaml"
#: Names the config directory, unless `--config` does.
CONFIG_VARIABLE: Final = "DUCTILE_CONFIG"
_DEFAULT_DIR: Final = "~/.config/ductile"


@dataclass(frozen=True, slots=True)
class ConfigSource:
    """The file behind the settings, for problems that only show when all parts are known."""

    file: str
    document: Document | None = None
    """None if the file could not be read as YAML."""

    def problem_at(
        self,
        path: yaml.Path,
        message: str,
        hint: str | None = None,
        *,
        warning: bool = False,
        key: bool = False,
    ) -> Problem:
        """A problem at a value of the file; with `key`, at the key that leads to it.

        What the file leaves out has the place of the nearest thing around it that is there.
        """
        if self.document is None:
            place = Place(self.file, 1, 1)
        elif key:
            place = self.document.key_place(path)
        else:
            place = self.document.place(path)
        return Problem(message, place, hint, warning)


def find_config_dir(explicit: Path | None, environment: Mapping[str, str]) -> Path:
    """`explicit`, else what `$DUCTILE_CONFIG` names, else `~/.config/ductile`; absolute.

    Raises ConfigurationError if that is relative to a home directory that is not known.
    """
    if explicit is not None:
        return explicit.absolute()
    text = environment.get(CONFIG_VARIABLE) or _DEFAULT_DIR
    path = _expanded(text, environment)
    if path is None:
        raise ConfigurationError(
            f'"{text}" cannot be found without a home directory; set HOME, or name the config '
            "directory with --config"
        )
    return path.absolute()


def load_settings(
    config_dir: Path, environment: Mapping[str, str]
) -> tuple[Settings | None, ConfigSource, list[Problem]]:
    """Read `config.yaml`; never raises. There are no settings if any problem is an error."""
    path = config_dir.absolute() / CONFIG_FILE
    file = str(path)
    try:
        text = read_file(path)
    except OSError as error:
        return None, ConfigSource(file), [_unreadable(path, error)]
    written, problems = yaml.parse(text, file)
    if written is None:
        return None, ConfigSource(file), problems
    source = ConfigSource(file, written)
    if written.value is None and not problems:
        hint = f'write at least "plugin_roots: [plugins]", or run "ductile init {config_dir}"'
        return None, source, [source.problem_at((), "the configuration is empty", hint)]
    document, uses, missing = interpolate(written, environment)
    read, wrong = validate(ConfigFile, document)
    wrong += [*endpoints.contradictions(document), *http.contradictions(document)]
    settings = None
    if read is not None:
        resolver = _Resolver(path.parent, environment, source)
        settings = resolver.settings(read, secrets(read, uses))
        wrong += resolver.problems
    # Where a variable is missing the value is empty, which is no news.
    places = {problem.place for problem in missing}
    wrong = [problem for problem in wrong if problem.place not in places]
    problems += [*missing, *masked(wrong, uses, document)]
    return (None if refuses(problems) else settings), source, in_order(problems)


def _unreadable(path: Path, error: OSError) -> Problem:
    folder = path.parent
    if isinstance(error, NotADirectoryError):
        message, hint = f'"{folder}" is not a folder', f"name the folder that holds {CONFIG_FILE}"
    elif isinstance(error, FileNotFoundError):
        message = f'there is no configuration in "{folder}"'
        hint = f'make one with "ductile init {folder}", or name another folder with --config'
    else:
        message = f"the configuration cannot be read: {error.strerror}"
        hint = "make it a file that the gateway's user may read"
    return Problem(message, Place(str(path), 1, 1), hint)


def _expanded(text: str, environment: Mapping[str, str]) -> Path | None:
    """The path with `~` replaced; None if the home directory is not known."""
    if text != "~" and not text.startswith("~/"):
        return Path(text)
    home = environment.get("HOME")
    return Path(home, text[2:]) if home else None


class _Resolver:
    """Makes settings of what is written: all paths absolute."""

    def __init__(
        self, config_dir: Path, environment: Mapping[str, str], source: ConfigSource
    ) -> None:
        self.problems: list[Problem] = []
        self._config_dir = config_dir
        self._environment = environment
        self._source = source

    def settings(self, read: ConfigFile, hidden: frozenset[str]) -> Settings:
        data_dir = self._path(read.data_dir, self._config_dir, ("data_dir",))
        return Settings(
            config_dir=self._config_dir,
            data_dir=data_dir,
            database=data_dir / database_path(read.state.url),
            service=read.service,
            workspace=WorkspaceSettings(
                root=self._path(read.workspace.root, data_dir, ("workspace", "root")),
                ttl=read.workspace.ttl,
                janitor_interval=read.workspace.janitor_interval,
            ),
            http=read.http,
            plugin_roots=tuple(
                self._path(text, self._config_dir, ("plugin_roots", index))
                for index, text in enumerate(read.plugin_roots)
            ),
            plugins=read.plugins,
            webhooks=read.webhooks.endpoints,
            inbox=read.webhooks.inbox,
            secrets=hidden,
        )

    def _path(self, text: str, base: Path, at: yaml.Path) -> Path:
        path = _expanded(text, self._environment)
        if path is None:
            message = f"{quoted(text)} cannot be found without a home directory"
            hint = "set HOME, or write the whole path"
            self.problems.append(self._source.problem_at(at, message, hint))
            return base
        return base / path
