"""Files and visualizations: whole or in part, and never as pages of our own."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from lineal import Client, pipeline, register_artifact, save_artifact, step
from lineal.server.answers import attachment, span_of
from lineal.server.content import MEASURE, measured
from lineal.views import RunView


def test_html_of_users_runs_where_it_can_reach_nothing(server: TestClient, run: RunView) -> None:
    """A14, A15: an origin of its own, framed or opened by itself; no network, no forms, no navigation."""
    version = run.steps["page"].output
    [found] = server.get(f"/api/v1/versions/{version.id}/visualizations").json()
    assert found["kind"] == "html"
    answer = server.get(f"/api/v1/versions/{version.id}/visualizations/0")
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("sandbox allow-scripts; default-src 'none'")
    assert "allow-same-origin" not in policy
    assert "connect-src 'none'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "<h1>made</h1>" in answer.text
    assert server.get(f"/api/v1/versions/{version.id}/visualizations/7").status_code == 404


def test_a_framed_page_tells_its_height_and_is_otherwise_as_it_is(server: TestClient, run: RunView) -> None:
    """In the same sandbox. What makes it tell stands before a policy of the page itself, else at the end: a page in quirks stays in quirks."""
    path = f"/api/v1/versions/{run.steps['page'].output.id}/visualizations/0"
    plain, framed = server.get(path), server.get(path, params={"framed": "true"})
    assert framed.content == plain.content + MEASURE
    assert framed.headers["content-security-policy"] == plain.headers["content-security-policy"]
    own = b'<!doctype html><head><meta http-equiv="Content-Security-Policy" content="x"></head>'
    assert measured(own) == own.replace(b"<meta", MEASURE + b"<meta")
    array = f"/api/v1/versions/{run.steps['count'].output.id}/visualizations/0"
    assert server.get(array, params={"framed": "true"}).content.count(b"lineal: ") == 1, "before its own policy, and once"


def test_a_file_comes_whole_or_in_part(server: TestClient, run: RunView) -> None:
    version = run.steps["count"].output
    path = f"/api/v1/versions/{version.id}/files/0"
    whole = server.get(path)
    assert whole.content == (version.path).read_bytes()
    assert whole.headers["content-type"] == "application/octet-stream"
    assert whole.headers["content-disposition"].startswith('attachment; filename="data.npy"')
    part = server.get(path, headers={"range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, whole.content[10:20])
    assert part.headers["content-range"] == f"bytes 10-19/{len(whole.content)}"
    assert server.get(path, headers={"range": "bytes=999999999-"}).status_code == 416
    assert server.get(path, headers={"if-none-match": whole.headers["etag"]}).status_code == 304
    changed = server.get(path, headers={"range": "bytes=0-1", "if-range": '"another"'})
    assert (changed.status_code, len(changed.content)) == (200, len(whole.content))
    assert server.get(f"/api/v1/versions/{version.id}/files/1").status_code == 404


def test_small_values_have_a_file_too(server: TestClient) -> None:
    version = save_artifact({"a": 1}, "small")
    assert server.get(f"/api/v1/versions/{version.id}/files/0").json() == {"a": 1}


def test_a_file_that_was_changed_is_never_sent_whole(server: TestClient, run: RunView) -> None:
    """The connection ends before the last bytes: what arrives is not taken for the file."""
    version = run.steps["count"].output
    file = version.path
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.chmod(0o600)
    file.write_bytes(data)
    with pytest.raises(OSError, match="not what was recorded"):
        server.get(f"/api/v1/versions/{version.id}/files/0")


def test_a_link_in_the_place_of_a_file_is_not_followed(server: TestClient, run: RunView, tmp_path: Path) -> None:
    """A04."""
    secret = tmp_path / "secret"
    secret.write_text("secret")
    file = run.steps["count"].output.path
    folder = file.parent
    folder.chmod(0o700)
    file.unlink()
    file.symlink_to(secret)
    answer = server.get(f"/api/v1/versions/{run.steps['count'].output.id}/files/0")
    assert answer.status_code == 410
    assert "secret" not in answer.text


def test_registered_files_are_sent_from_where_they_lie(server: TestClient, tmp_path: Path) -> None:
    source = tmp_path / "data.bin"
    source.write_bytes(b"12345")
    version = register_artifact(source, "there")
    assert server.get(f"/api/v1/versions/{version.id}/files/0").content == b"12345"
    source.unlink()
    assert server.get(f"/api/v1/versions/{version.id}/files/0").status_code == 410


class Bomb:
    """Leaves a mark when it is unpickled."""

    def __reduce__(self) -> object:
        return Path("unpickled.txt").touch, ()


def test_nothing_is_unpickled(server: TestClient) -> None:
    """A08, A13: not to list, to show, to follow its lineage or to send it."""

    @step
    def make() -> object:
        return Bomb()

    @pipeline
    def making() -> None:
        make()

    with pytest.warns(UserWarning, match="was pickled"):
        version = making().steps["make"].output
    assert "pickle" in version.materializer
    for path in ("", "/lineage", "/visualizations", "/files/0"):
        assert server.get(f"/api/v1/versions/{version.id}{path}").status_code == 200
    assert server.get("/api/v1/home").status_code == 200
    assert not Path("unpickled.txt").exists()


def test_the_data_of_a_pruned_version_is_gone(server: TestClient) -> None:
    version = save_artifact(b"x" * 50_000, "loose")
    Client().prune_artifacts(only_artifact=True)
    answer = server.get(f"/api/v1/versions/{version.id}/files/0")
    assert (answer.status_code, answer.json()["title"]) == (410, "ArtifactMissing")


@given(st.text())
def test_no_name_leaves_the_header(name: str) -> None:
    """A07: line ends, quotes, slashes and letters of any script."""
    try:
        header = attachment(name)
    except UnicodeEncodeError:
        assert any("\ud800" <= letter <= "\udfff" for letter in name)
        return
    assert header.isascii()
    assert header.isprintable()
    assert header.count('"') == 2
    assert "/" not in header
    assert "\\" not in header


@given(st.integers(0, 50), st.integers(0, 60) | st.none(), st.integers(0, 60) | st.none())
def test_a_part_lies_in_the_file(size: int, start: int | None, end: int | None) -> None:
    """As RFC 9110 has it: first and last byte, or as many at the end."""
    header = f"bytes={'' if start is None else start}-{'' if end is None else end}"
    span = span_of(header, size)
    content = bytes(range(size))
    if start is None and end is None:
        assert span == (0, size)
    elif start is None:
        assert (span is None) == (end == 0 or size == 0)
        assert span is None or content[span.start : span.start + span.length] == content[-min(end or 0, size) :]
    elif span is None:
        assert start >= size or (end is not None and end < start)
    else:
        assert content[span.start : span.start + span.length] == content[start : size if end is None else end + 1]


@pytest.mark.parametrize("header", ["bytes=0-1,3-4", "lines=0-1", "bytes=-", "bytes=x-1", "bytes=0-99999999999999999999", ""])
def test_a_range_that_cannot_be_given_in_one_piece_gives_the_whole(header: str) -> None:
    assert span_of(header, 10) == (0, 10)
