"""What a user calls a file or folder, and where it really is."""

import os
from pathlib import Path

import pytest

from lineal.artifact_store.places import place_of
from lineal.errors import PathNotFound, UsageError


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Give a folder to register, with a store beside it."""
    for folder in ("data", "store/objects/ab", "store/staging", "store/checkpoints", "store-evil", "a b#c"):
        (tmp_path / folder).mkdir(parents=True)
    return tmp_path / "data"


@pytest.fixture
def store(tmp_path: Path) -> str:
    """Give the store's folder."""
    return str(tmp_path / "store")


def test_any_local_path_is_taken(data: Path, store: str, monkeypatch: pytest.MonkeyPatch):
    """Absolute or relative, as text or Path, with a slash at its end, or as a URL."""
    monkeypatch.chdir(data.parent)
    (data.parent / "latest").symlink_to(data)
    for uri in (data, str(data), "data", "./data/", f"file://{data}", f"file://localhost{data}", f"FILE://{data}/"):
        assert place_of(uri, store) == (str(data), "data")
    assert place_of("latest", store) == (str(data), "latest")
    assert place_of(f"file://{data.parent}/a%20b%23c", store) == (f"{data.parent}/a b#c", "a b#c")
    monkeypatch.chdir(data)
    assert place_of(".", store) == (str(data), "data")


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("", "is empty"),
        ("a\0b", "NUL"),
        ("file:///a%00b", "no absolute path"),
        (b"/data", "must be text"),
        ("s3://bucket/prefix", "s3:// is not supported, only local paths and file:// URLs"),
        ("http:///#/../../etc/", "http:// is not supported"),
        ("file://host/share", "names the host 'host'"),
        ("file:///etc?x", "has a query"),
        ("file:///etc#x", "has a query or a fragment"),
        ("/", "under its name ''"),
    ],
)
def test_what_is_no_place_on_this_machine_is_refused(store: str, uri: str, message: str):
    """Before anything is looked at."""
    with pytest.raises(UsageError, match=message):
        place_of(uri, store)


@pytest.mark.parametrize(
    ("uri", "hint"),
    [
        ("~/data", "~ is not expanded"),
        ("$HOME/data", "variables are not expanded"),
        ("missing", "it was looked for in"),
        ("/no/such/place", "no such file or folder$"),
        ("file:/etc", "no such file or folder"),
        ("x" * 300, "too long"),
    ],
)
def test_what_is_not_there_is_an_error_that_says_where_was_looked(store: str, uri: str, hint: str):
    """Nothing is expanded silently: a folder that is really called `~` can be registered."""
    with pytest.raises(PathNotFound, match=hint):
        place_of(uri, store)
    Path("~").mkdir()
    assert place_of("~", store) == (os.path.realpath("~"), "~")


def test_a_loop_of_links_is_an_error(store: str):
    """And no endless search."""
    Path("loop").symlink_to("loop")
    with pytest.raises(PathNotFound, match="cannot be registered"):
        place_of("loop", store)


@pytest.mark.parametrize("place", ["objects", "objects/ab", "staging"])
def test_the_stores_own_folders_are_refused(data: Path, store: str, place: str):
    """Also by a link, and by a path that goes up and down again."""
    Path("link").symlink_to(Path(store, place))
    for uri in (f"{store}/{place}", "link", f"{store}/checkpoints/../{place}"):
        with pytest.raises(UsageError, match="own folder"):
            place_of(uri, store)


@pytest.mark.parametrize("up", ["", ".."])
def test_a_folder_that_holds_the_store_is_refused(data: Path, store: str, up: str):
    """It changes with everything that is saved."""
    with pytest.raises(UsageError, match="holds the artifact store itself"):
        place_of(Path(store, up), store)


def test_other_folders_in_the_store_and_beside_it_are_taken(data: Path, store: str):
    """A folder for checkpoints in the store's root; one whose name begins with the store's."""
    assert place_of(f"{store}/checkpoints", store)[1] == "checkpoints"
    assert place_of(data.parent / "store-evil", store)[1] == "store-evil"
    assert place_of(f"{store}/objects", "s3://bucket")[1] == "objects"
