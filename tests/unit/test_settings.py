"""Settings: which layer wins, where each value came from, and what is refused."""

import os
import sys
from pathlib import Path

import pytest

from lineal.errors import SettingsError
from lineal.settings import Settings, default_home, find_folder, find_project_file, setting_names, user_config_folder, variable_of


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Give the root of a project, without any settings file, with a folder inside."""
    (tmp_path / "project" / "deep" / "er").mkdir(parents=True)
    return tmp_path / "project"


@pytest.fixture
def user(tmp_path: Path) -> dict[str, str]:
    """Give the environment of a user whose configuration folder is in the test's own folder."""
    return {"XDG_CONFIG_HOME": str(tmp_path / "config"), "APPDATA": str(tmp_path / "config")}


def write_user_file(environ: dict[str, str], text: str) -> Path:
    """Write the user's file, wherever it is on this system."""
    path = user_config_folder(environ) / "config.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_defaults(project: Path, user: dict[str, str]) -> None:
    """With nothing said, everything is the documented default and says so."""
    found = Settings.load(user, project)
    assert (found.orchestrator, found.durability, found.table_format, found.pickle) == ("local", "step", "arrow", "own")
    assert (found.metadata_store, found.artifact_store, found.token, found.quiet) == ("", "", "", False)
    assert found.home.is_absolute()
    assert found.home.name.lower() == "lineal"
    assert set(found.sources) == set(setting_names())
    assert set(found.sources.values()) == {"default"}


def test_each_layer_beats_the_one_below(project: Path, user: dict[str, str]) -> None:
    """Argument beats environment beats project file beats user file beats default, key by key."""
    own = write_user_file(user, 'durability = "off"\ntable_format = "parquet"\npickle = "forbid"\norchestrator = "processes"')
    shared = project / "lineal.toml"
    shared.write_text('durability = "run"\ntable_format = "arrow"\npickle = "allow"', encoding="utf-8")
    found = Settings.load({**user, "LINEAL_TABLE_FORMAT": "parquet", "LINEAL_PICKLE": "own"}, project / "deep", pickle="forbid", quiet=None)
    assert (found.orchestrator, found.durability, found.table_format, found.pickle) == ("processes", "run", "parquet", "forbid")
    assert dict(found.sources) == {
        "home": "default",
        "metadata_store": "default",
        "artifact_store": "default",
        "orchestrator": str(own),
        "durability": str(shared),
        "table_format": "environment",
        "pickle": "argument",
        "token": "default",
        "quiet": "default",
        "visualizations": "default",
        "single_flight": "default",
    }


def test_the_process_is_read_by_default(monkeypatch: pytest.MonkeyPatch, project: Path) -> None:
    """Without arguments the process's own environment and working directory count."""
    monkeypatch.chdir(project)
    (project / "lineal.toml").write_text('durability = "run"', encoding="utf-8")
    monkeypatch.setenv("LINEAL_PICKLE", "allow")
    found = Settings.load()
    assert (found.durability, found.pickle) == ("run", "allow")


@pytest.mark.parametrize("name", ["lineal.toml", "pyproject.toml"])
def test_the_nearest_project_file_counts(project: Path, user: dict[str, str], name: str) -> None:
    """A file in a folder above holds until a nearer one is found."""
    table = "[tool.lineal]\n" if name == "pyproject.toml" else ""
    (project / name).write_text(f'{table}durability = "run"', encoding="utf-8")
    assert Settings.load(user, project / "deep" / "er").durability == "run"
    (project / "deep" / name).write_text(f'{table}durability = "off"', encoding="utf-8")
    assert Settings.load(user, project / "deep" / "er").durability == "off"


def test_an_edit_counts_at_once(project: Path, user: dict[str, str]) -> None:
    """Also one that leaves size and time of the file as they were: what was read is remembered by its text alone."""
    file = project / "lineal.toml"
    for name in ("off", "run", "off"):
        file.write_text(f'durability = "{name}"', encoding="utf-8")
        os.utime(file, (1, 1))
        assert Settings.load(user, project).durability == name


def test_a_project_file_of_others_does_not_count(project: Path) -> None:
    """A `pyproject.toml` without our table is passed over; beside a `lineal.toml` it is not read."""
    (project / "lineal.toml").write_text("", encoding="utf-8")
    (project / "pyproject.toml").write_text('[tool.lineal]\ndurability = "run"', encoding="utf-8")
    (project / "deep" / "pyproject.toml").write_text('[project]\nname = "x"', encoding="utf-8")
    found = find_project_file(project / "deep" / "er")
    assert found is not None
    assert (found[0].name, dict(found[1])) == ("lineal.toml", {})


def test_home_is_the_nearest_folder_upward(project: Path, user: dict[str, str]) -> None:
    """A project that was initialised has its own home, from any folder inside."""
    (project / ".lineal").mkdir()
    found = Settings.load(user, project / "deep" / "er")
    assert found.home == project / ".lineal" == find_folder(project / "deep")
    assert found.sources["home"] == f"found upward of {project / 'deep' / 'er'}"
    assert default_home(project)[0] == project / ".lineal"


def test_a_file_called_like_the_folder_is_none(project: Path) -> None:
    """Only a folder is a home."""
    (project / ".lineal").write_text("", encoding="utf-8")
    assert find_folder(project) is None


def test_home_given_beats_the_folder(project: Path, user: dict[str, str], tmp_path: Path) -> None:
    """What is said beats what is found."""
    (project / ".lineal").mkdir()
    assert Settings.load({**user, "LINEAL_HOME": str(tmp_path / "other")}, project).home == tmp_path / "other"
    assert Settings.load(user, project, home=tmp_path / "third").home == tmp_path / "third"


def test_relative_paths_in_a_file_belong_to_the_file(project: Path, user: dict[str, str]) -> None:
    """A project means the same store from every folder that it is run in."""
    (project / "lineal.toml").write_text(
        'home = "state"\nartifact_store = "../objects"\nmetadata_store = "sqlite:///facts.db"', encoding="utf-8"
    )
    found = Settings.load(user, project / "deep")
    assert found.home == project / "state"
    assert Path(found.artifact_store) == project / "../objects"
    assert found.metadata_store == f"sqlite:///{project / 'facts.db'}"


def test_relative_paths_elsewhere_belong_to_the_working_directory(project: Path, user: dict[str, str]) -> None:
    """As for any program."""
    found = Settings.load({**user, "LINEAL_HOME": "here", "LINEAL_ARTIFACT_STORE": "objects"}, project, metadata_store="sqlite:///a.db")
    assert found.home == project / "here"
    assert found.artifact_store == str(project / "objects")
    assert found.metadata_store == f"sqlite:///{project / 'a.db'}"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("artifact_store", "s3://bucket/prefix"),
        ("artifact_store", ""),
        ("metadata_store", "postgresql://user@host/db"),
        ("metadata_store", "https://server"),
        ("metadata_store", ""),
    ],
)
def test_urls_stay_as_they_are(project: Path, user: dict[str, str], key: str, value: str) -> None:
    """Only paths are made absolute."""
    assert getattr(Settings.load(user, project, **{key: value}), key) == value


def test_an_absolute_path_stays(project: Path, user: dict[str, str], tmp_path: Path) -> None:
    """An absolute path means itself, in a URL too."""
    path = tmp_path / "facts.db"
    assert Settings.load(user, project, metadata_store=f"sqlite:///{path}").metadata_store == f"sqlite:///{path}"


def test_a_tilde_is_the_users_folder(project: Path, user: dict[str, str]) -> None:
    """As a shell would expand it."""
    assert Settings.load(user, project, home="~/x").home == Path("~/x").expanduser()
    assert Settings.load(user, project, artifact_store="~/x").artifact_store == str(Path("~/x").expanduser())


@pytest.mark.parametrize(
    ("text", "value"), [("1", True), ("true", True), ("YES", True), ("on", True), ("0", False), ("false", False), ("off", False)]
)
def test_switches(project: Path, user: dict[str, str], text: str, value: bool) -> None:
    """The usual words are understood, in any case."""
    assert Settings.load({**user, "LINEAL_QUIET": text}, project).quiet is value
    assert Settings.load(user, project, quiet=value).quiet is value


def test_an_empty_variable_is_not_set(project: Path, user: dict[str, str]) -> None:
    """`LINEAL_PICKLE= command` is how a shell takes a setting back."""
    found = Settings.load({**user, "LINEAL_PICKLE": "", "LINEAL_HOME": ""}, project)
    assert (found.pickle, found.sources["pickle"], found.sources["home"]) == ("own", "default", "default")


def test_the_token_is_not_shown(project: Path, user: dict[str, str]) -> None:
    """Settings can be printed and logged."""
    found = Settings.load({**user, "LINEAL_TOKEN": "secret-word"}, project)
    assert found.token == "secret-word"
    assert "secret-word" not in repr(found)


@pytest.mark.parametrize(
    ("environ", "file", "given", "message"),
    [
        ({"LINEAL_PICKEL": "own"}, "", {}, "LINEAL_PICKEL in the environment is not a setting; did you mean LINEAL_PICKLE?"),
        ({"LINEAL_XYZ": "1"}, "", {}, "LINEAL_XYZ in the environment is not a setting; settings are: home, "),
        ({}, 'pickel = "own"', {}, "'pickel' in {file} is not a setting; did you mean pickle?"),
        ({}, 'sources = "x"', {}, "'sources' in {file} is not a setting"),
        ({}, "", {"colour": "red"}, "'colour' in argument is not a setting"),
        ({"LINEAL_PICKLE": "always"}, "", {}, "pickle must be one of own, forbid, allow; environment says 'always'"),
        ({}, 'durability = "Step"', {}, "durability must be one of step, run, off; {file} says 'Step'"),
        ({}, "durability = 1", {}, "durability must be text; {file} says 1"),
        ({}, "", {"orchestrator": "mars"}, "orchestrator must be one of local, processes; argument says 'mars'"),
        ({"LINEAL_QUIET": "perhaps"}, "", {}, "quiet must be one of 1, 0, true, false; environment says 'perhaps'"),
        ({}, 'home = ""', {}, "home must name a folder; {file} says ''"),
        ({}, "= broken", {}, "{file} cannot be read: "),
    ],
)
def test_mistakes_are_named(
    project: Path, user: dict[str, str], environ: dict[str, str], file: str, given: dict[str, str], message: str
) -> None:
    """An unknown key or value is an error that says where it stands and what was meant."""
    path = project / "lineal.toml"
    path.write_text(file, encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        Settings.load({**user, **environ}, project, **given)
    assert str(caught.value).startswith(message.replace("{file}", str(path)))


def test_a_broken_file_of_the_user_is_named(project: Path, user: dict[str, str]) -> None:
    """Bytes that are no text are no reason to guess."""
    path = write_user_file(user, "")
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match="cannot be read") as caught:
        Settings.load(user, project)
    assert str(path) in str(caught.value)


def test_a_table_that_is_none_is_named(project: Path, user: dict[str, str]) -> None:
    """`tool.lineal = 3` is a mistake in the project's own file."""
    (project / "pyproject.toml").write_text("[tool]\nlineal = 3", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"tool.lineal in .* must be a table of settings, got 3"):
        Settings.load(user, project)


def test_other_variables_are_not_ours(project: Path, user: dict[str, str]) -> None:
    """Only what begins with the prefix is read."""
    assert Settings.load({**user, "XLINEAL_PICKLE": "allow", "PICKLE": "allow"}, project).pickle == "own"
    assert [variable_of(name) for name in ("home", "table_format")] == ["LINEAL_HOME", "LINEAL_TABLE_FORMAT"]


@pytest.mark.parametrize(
    ("platform", "environ", "folder"),
    [
        ("linux", {"XDG_CONFIG_HOME": "/etc/xdg-user"}, "/etc/xdg-user/lineal"),
        ("linux", {}, "~/.config/lineal"),
        ("darwin", {"XDG_CONFIG_HOME": "/etc/xdg-user"}, "~/Library/Application Support/lineal"),
        ("win32", {"APPDATA": "/roaming"}, "/roaming/lineal"),
    ],
)
def test_the_users_folder_on_each_system(monkeypatch: pytest.MonkeyPatch, platform: str, environ: dict[str, str], folder: str) -> None:
    """Configuration is where users of that system look for it."""
    monkeypatch.setattr(sys, "platform", platform)
    assert user_config_folder(environ) == Path(folder).expanduser()


def test_settings_with_the_same_values_are_equal(project: Path, user: dict[str, str]) -> None:
    """Where a value came from does not make two settings differ."""
    (project / "lineal.toml").write_text('pickle = "own"', encoding="utf-8")
    assert Settings.load(user, project) == Settings.load(user, project.parent)
