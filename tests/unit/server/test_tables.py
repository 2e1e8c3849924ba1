"""Tables row by row."""

import math

import pandas as pd
import pytest
from starlette.testclient import TestClient

from lineal import save_artifact
from lineal.server import tables
from lineal.views import VersionView


@pytest.fixture
def frame(lineal_home: object) -> VersionView:
    values = pd.DataFrame(
        {
            "n": [3.0, 1.0, None, math.inf],
            "word": ["b", "a", "b", None],
            "day": pd.to_datetime(["2026-01-02", "2026-01-01", None, "2026-01-03"]),
            "yes": [True, False, True, True],
        }
    )
    return save_artifact(values, "frame")


def test_rows_come_in_the_stored_order_with_statistics(server: TestClient, frame: VersionView) -> None:
    """What is missing is null, what is not finite is text: JSON has neither."""
    found = server.get(f"/api/v1/versions/{frame.id}/rows", params={"limit": 3}).json()
    assert (found["total"], found["all_columns"], len(found["items"])) == (4, 4, 3)
    assert found["items"][:2] == [[0, 3.0, "b", "2026-01-02 00:00:00", True], [1, 1.0, "a", "2026-01-01 00:00:00", False]]
    assert found["items"][2] == [2, None, "b", None, True]
    number, word, day, _ = found["columns"]
    assert (number["name"], number["missing"], number["least"], number["most"]) == ("n", 1, 1.0, "inf")
    assert (word["different"], word["top"], word["missing"]) == (2, "b", 1)
    assert (day["least"], day["most"]) == ("2026-01-01 00:00:00", "2026-01-03 00:00:00")


@pytest.mark.parametrize(("sort", "order"), [("0", [1, 0, 3, 2]), ("-0", [3, 0, 1, 2]), ("1", [1, 0, 2, 3]), ("-2", [3, 0, 1, 2])])
def test_rows_are_sorted_by_a_column_and_missing_ones_stand_last(
    server: TestClient, frame: VersionView, sort: str, order: list[int]
) -> None:
    found = server.get(f"/api/v1/versions/{frame.id}/rows", params={"sort": sort}).json()
    assert [row[0] for row in found["items"]] == order
    page = server.get(f"/api/v1/versions/{frame.id}/rows", params={"sort": sort, "offset": 2, "limit": 1}).json()
    assert [row[0] for row in page["items"]] == order[2:3]


def test_cells_that_do_not_compare_are_sorted_by_their_texts(server: TestClient) -> None:
    odd = save_artifact(pd.DataFrame({"cell": [[2], [1], None]}), "odd")
    found = server.get(f"/api/v1/versions/{odd.id}/rows", params={"sort": "0"}).json()
    assert sorted(row[0] for row in found["items"]) == [0, 1, 2]


def test_a_table_of_another_library_is_shown_too(server: TestClient) -> None:
    pa = pytest.importorskip("pyarrow")
    table = save_artifact(pa.table({"x": [1, 2], "when": [pd.Timestamp("2026-01-01"), None]}), "arrow")
    assert server.get(f"/api/v1/versions/{table.id}/rows").json()["items"] == [[0, 1, "2026-01-01 00:00:00"], [1, 2, None]]


def test_what_is_no_table_too_large_or_has_no_such_column_is_an_error_that_says_so(
    server: TestClient, frame: VersionView, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = save_artifact(["a"], "words")
    assert "not a table" in server.get(f"/api/v1/versions/{words.id}/rows").json()["detail"]
    assert "there is none at 9" in server.get(f"/api/v1/versions/{frame.id}/rows?sort=9").json()["detail"]
    assert server.get(f"/api/v1/versions/{frame.id}/rows?sort=n").status_code == 422
    monkeypatch.setattr(tables, "LARGEST", 10)
    assert "load it in Python" in server.get(f"/api/v1/versions/{frame.id}/rows").json()["detail"]
