"""Settings: what is configurable, and where each value came from. The only reader of `os.environ`.

Environment beats project file (`lineal.toml`, or `[tool.lineal]` in `pyproject.toml`, nearest upward from the working directory)
beats user file (`config.toml` in the user's configuration folder) beats default. An unknown key is an error.
"""

import difflib
import os
import re
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from functools import lru_cache
from pathlib import Path
from types import FrameType
from typing import Any

from lineal.errors import SettingsError

PREFIX = "LINEAL_"
FOLDER = ".lineal"
_SQLITE = "sqlite:///"
_PASSWORD = re.compile(r"(://[^/@:]*:)[^/]*@")
_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off", ""}


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings in force. `sources` says for each where it came from: "default", "environment", "argument" or a file.

    Attributes:
        home: Folder of the embedded default, absolute.
        metadata_store: URL of the metadata store, with an absolute path where it is a file; empty for the one in `home`.
        artifact_store: Absolute folder or URL of the artifact store; empty for the one in `home`.
        orchestrator: Where steps run: local or processes.
        durability: When what is written is made to survive a power cut: step, run or off.
        table_format: How tables are stored: arrow or parquet.
        pickle: Which pickled artifacts may be loaded: own, forbid or allow.
        token: Token for a server; never shown.
        quiet: Whether runs are not shown while they go on.
        visualizations: Whether values are visualized when they are saved, where a step, pipeline or call does not say: on or off.
        single_flight: Whether a run waits for another one of this machine that is making the same result: on or off.
    """

    home: Path
    metadata_store: str = ""
    artifact_store: str = ""
    orchestrator: str = "local"
    durability: str = "step"
    table_format: str = "arrow"
    pickle: str = "own"
    token: str = field(default="", repr=False)
    quiet: bool = False
    visualizations: str = "on"
    single_flight: str = "on"
    sources: Mapping[str, str] = field(default_factory=dict, compare=False)

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None, cwd: Path | None = None, **given: Any) -> "Settings":
        """Read the settings in force.

        Args:
            environ: Environment variables; the process's own by default. An empty one counts as not set.
            cwd: Folder from which project files and `.lineal/` are looked for upward; the working directory by default.
            **given: Values that beat everything else; None counts as not given.

        A relative path in a file is relative to the folder of that file, any other to `cwd`.

        Raises SettingsError for an unknown key, a value that is not allowed, or a file that cannot be read.
        """
        environ = os.environ if environ is None else environ
        cwd = Path.cwd() if cwd is None else cwd.absolute()
        values: dict[str, Any] = {}
        sources: dict[str, str] = {}
        for source, folder, layer in _layers(environ, cwd, given):
            for key, value in layer.items():
                values[key] = _anchored(key, _checked(key, value, source), folder)
                sources[key] = source
        if "home" not in values:
            values["home"], sources["home"] = default_home(cwd)
        return cls(**values, sources={name: sources.get(name, "default") for name in setting_names()})


_CHOICES = {
    "durability": ("step", "run", "off"),
    "table_format": ("arrow", "parquet"),
    "pickle": ("own", "forbid", "allow"),
    "orchestrator": ("local", "processes"),
    "visualizations": ("on", "off"),
    "single_flight": ("on", "off"),
}


def _layers(environ: Mapping[str, str], cwd: Path, given: Mapping[str, Any]) -> Iterator[tuple[str, Path, Mapping[str, Any]]]:
    """Give source, folder for relative paths, and values of each layer; later ones win."""
    user_file = user_config_folder(environ) / "config.toml"
    if user_file.is_file():
        yield str(user_file), user_file.parent, _read(user_file)
    project = find_project_file(cwd)
    if project is not None:
        yield str(project[0]), project[0].parent, project[1]
    yield "environment", cwd, _from_environment(environ)
    yield "argument", cwd, {key: value for key, value in given.items() if value is not None}


def _anchored(key: str, value: Any, folder: Path) -> Any:
    if key == "home":
        return folder / Path(value).expanduser()
    if key == "artifact_store" and value and "://" not in value:
        return str(folder / Path(value).expanduser())
    if key == "metadata_store" and value.startswith(_SQLITE):
        return f"{_SQLITE}{folder / Path(value.removeprefix(_SQLITE)).expanduser()}"
    return value


def setting_names() -> list[str]:
    """Give the names of all settings."""
    return [f.name for f in fields(Settings) if f.name != "sources"]


def variable_of(name: str) -> str:
    """Give the environment variable of a setting."""
    return PREFIX + name.upper()


def variable(name: str) -> str | None:
    """Give the value of an environment variable, None when it is not set."""
    return os.environ.get(name)


def watch_variables(seen: Callable[[str, FrameType], None]) -> None:
    """Have `seen` called with the name of each environment variable that this process asks for or sets from now on, and the asking frame.

    Python raises no audit event for them. The frame is that of the method of `os.environ` that was called.
    """
    environ: Any = os.environ
    encode = environ.encodekey

    def encodekey(key: Any) -> Any:
        seen(key, sys._getframe(1))  # noqa: SLF001 - there is no public way to one frame
        return encode(key)

    environ.encodekey = encodekey


def set_variables(values: Mapping[str, str | None]) -> None:
    """Set environment variables of this process; None removes one."""
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def find_folder(cwd: Path) -> Path | None:
    """Give the nearest `.lineal/` upward from a folder."""
    for folder in (cwd, *cwd.parents):
        if (folder / FOLDER).is_dir():
            return folder / FOLDER
    return None


def default_home(cwd: Path) -> tuple[Path, str]:
    """Give the home that holds when none is set, and its source: the nearest `.lineal/` upward, else the user's data folder."""
    found = find_folder(cwd)
    if found is not None:
        return found, f"found upward of {cwd}"
    import platformdirs

    return Path(platformdirs.user_data_dir("lineal", appauthor=False)), "default"


def user_config_folder(environ: Mapping[str, str]) -> Path:
    """Give the user's configuration folder: `$XDG_CONFIG_HOME/lineal`, or the platform's own place."""
    if sys.platform == "win32":
        return Path(environ.get("APPDATA") or "~").expanduser() / "lineal"
    if sys.platform == "darwin":
        return Path("~/Library/Application Support/lineal").expanduser()
    return Path(environ.get("XDG_CONFIG_HOME") or "~/.config").expanduser() / "lineal"


def config_folder() -> Path:
    """Give the configuration folder of the user of this process."""
    return user_config_folder(os.environ)


def shown(name: str, value: object) -> str | bool | None:
    """Give a setting as it may be shown: no token, no password inside of a URL; None when it is empty."""
    if isinstance(value, bool):
        return value
    if name == "token" and value:
        return "(set, not shown)"
    return _PASSWORD.sub(r"\1***@", str(value)) or None


def find_project_file(cwd: Path) -> tuple[Path, Mapping[str, Any]] | None:
    """Give the nearest `lineal.toml`, or `pyproject.toml` with a `[tool.lineal]` table, upward from a folder."""
    for folder in (cwd, *cwd.parents):
        own = folder / "lineal.toml"
        if own.is_file():
            return own, _read(own)
        shared = folder / "pyproject.toml"
        if shared.is_file():
            table = _read(shared).get("tool", {}).get("lineal")
            if isinstance(table, Mapping):
                return shared, table
            if table is not None:
                raise SettingsError(f"tool.lineal in {shared} must be a table of settings, got {table!r}")
    return None


def _read(path: Path) -> Mapping[str, Any]:
    try:
        return _parsed(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{path} cannot be read: {error}") from error


@lru_cache(16)
def _parsed(text: str) -> Mapping[str, Any]:
    # By its text, so that an edit counts at once: each run reads its settings, and to parse a pyproject.toml takes longer than a short run.
    return tomllib.loads(text)


def _from_environment(environ: Mapping[str, str]) -> dict[str, str]:
    known = set(setting_names())
    found = {}
    for variable, value in environ.items():
        if variable.startswith(PREFIX) and value != "":
            key = variable[len(PREFIX) :].lower()
            if key not in known:
                raise SettingsError(f"{variable} in the environment is not a setting{_closest(key, variable=True)}")
            found[key] = value
    return found


def _closest(key: str, *, variable: bool = False) -> str:
    near = difflib.get_close_matches(key, setting_names(), n=1)
    if not near:
        return f"; settings are: {', '.join(setting_names())}"
    return f"; did you mean {variable_of(near[0]) if variable else near[0]}?"


def _checked(key: str, value: Any, source: str) -> Any:
    if key not in setting_names():
        raise SettingsError(f"{key!r} in {source} is not a setting{_closest(key)}")
    if key == "quiet":
        text = str(value).lower()
        if text not in _TRUE | _FALSE:
            raise SettingsError(f"quiet must be one of 1, 0, true, false; {source} says {value!r}")
        return text in _TRUE
    if not isinstance(value, str | Path):
        raise SettingsError(f"{key} must be text; {source} says {value!r}")
    value = str(value)
    if key == "home" and not value:
        raise SettingsError(f"home must name a folder; {source} says ''. Leave it out to have the default")
    choices = _CHOICES.get(key)
    if choices and value not in choices:
        raise SettingsError(f"{key} must be one of {', '.join(choices)}; {source} says {value!r}")
    return value
