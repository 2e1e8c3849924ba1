"""Tokens of this user for servers."""

import stat

import pytest

from lineal.credentials import FILE, forget_token, is_private, keep_token, kept_tokens, server_url, token_for
from lineal.errors import SettingsError, UsageError
from lineal.settings import Settings, config_folder


@pytest.mark.parametrize(
    ("text", "url"),
    [
        (" HTTPS://Lineal.Example.org:443/ ", "https://lineal.example.org"),
        ("http://127.0.0.1:8237", "http://127.0.0.1:8237"),
        ("https://x.test/Lineal/", "https://x.test/Lineal"),
        ("http://[::1]:80", "http://[::1]"),
    ],
)
def test_a_server_is_written_in_one_way(text: str, url: str) -> None:
    assert server_url(text) == url


@pytest.mark.parametrize(
    "text",
    ["", "x.test", "file:///etc", "gopher://x", "https://me:pw@x.test", "https://x?y", "https://x#y", "http://[::1", "http://x:99999"],
)
def test_what_is_no_server_is_refused(text: str) -> None:
    """A34."""
    with pytest.raises(UsageError, match="is no URL of a server"):
        server_url(text)


def test_a_token_is_kept_for_its_server_and_for_its_owner_only() -> None:
    """A41: and sent to no other server."""
    path = keep_token("https://x.test/", "one")
    keep_token("https://y.test", "two")
    assert path == config_folder() / FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    settings = Settings.load()
    assert (token_for("https://X.test", settings), token_for("https://y.test", settings)) == ("one", "two")
    assert [token_for(each, settings) for each in ("https://z.test", "http://x.test", "https://x.test:444", "https://x.test/path")] == [
        None
    ] * 4
    assert forget_token("https://x.test") == "one"
    assert forget_token("https://x.test") is None
    assert kept_tokens() == {"https://y.test": "two"}
    assert [each.name for each in path.parent.iterdir()] == [FILE]


def test_the_setting_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    keep_token("https://x.test", "kept")
    monkeypatch.setenv("LINEAL_TOKEN", "set")
    assert token_for("https://x.test", Settings.load()) == "set"


@pytest.mark.parametrize("text", ["{", "[]", '{"https://x.test": 1}'])
def test_a_file_that_is_none_of_ours_is_named(text: str) -> None:
    config_folder().mkdir(parents=True)
    (config_folder() / FILE).write_text(text)
    with pytest.raises(SettingsError, match="remove it, and log in again"):
        kept_tokens()


def test_who_could_read_along_is_known() -> None:
    assert [is_private(each) for each in ("https://x.test", "http://127.0.0.1:1", "http://localhost", "http://[::1]:2")] == [True] * 4
    assert [is_private(each) for each in ("http://x.test", "http://127.0.0.1.evil.test", "http://localhost.evil.test")] == [False] * 3
