"""A run, a version or everything as one file."""

import asyncio
import json
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from lineal import Client, pipeline, save_artifact, step
from lineal.cli.app import State, cli
from lineal.errors import UsageError
from lineal.server.exporting import export_all, export_run, export_version
from lineal.views import RunView


def answers(page: str) -> dict[str, object]:
    found = re.search(r'<script type="application/json" id="lineal-data">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    data: dict[str, object] = json.loads(found[1])
    return data


def test_a_run_is_exported_with_all_that_belongs_to_it(run: RunView) -> None:
    """What the page of the run asks for, and those that it leads to."""
    page = export_run(Client(), run)
    kept = answers(page)
    step, version = run.steps["count"], run.steps["count"].output
    wanted = {
        f"/runs/{run.id}",
        f"/step-runs/{step.id}",
        f"/step-runs/{step.id}/log",
        f"/versions/{version.id}",
        f"/versions/{version.id}/lineage?depth=3",
    }
    assert wanted <= kept.keys()
    assert kept[f"/step-runs/{step.id}/log"] == {"text": "counting\n", "next": 9}
    assert f'content="#/runs/{run.id}"' in page


def test_it_works_where_an_event_loop_runs(run: RunView) -> None:
    """As in a notebook."""

    async def inside() -> str:
        return export_run(Client(), run)

    assert str(run.id) in asyncio.run(inside())


def test_the_file_asks_nobody(run: RunView) -> None:
    """No script, style, picture or frame from anywhere: all stands in the file, and its policy holds it to that."""
    page = export_all(Client())
    head = page.partition("</head>")[0]
    assert "default-src 'none'" in head
    assert not re.search(
        r'<(?:script|link|img|iframe)[^>]+(?:src|href)="(?!data:)', re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    )


def test_what_users_wrote_cannot_end_the_data(run: RunView) -> None:
    """A17: a closing tag in a value is text in the file too."""
    version = save_artifact({"x": 1}, "odd", user_metadata={"note": "</script><script>alert(1)</script><!--"})
    page = export_version(Client(), version)
    assert "<script>alert(1)" not in page
    kept = answers(page)[f"/versions/{version.id}"]
    assert isinstance(kept, dict)
    assert kept["metadata"]["note"] == "</script><script>alert(1)</script><!--"


def test_visualizations_stand_in_the_file(run: RunView) -> None:
    version = run.steps["page"].output
    kept = answers(export_version(Client(), version))
    assert str(kept[f"data:/versions/{version.id}/visualizations/0?framed=true"]).startswith("data:text/html; charset=utf-8;base64,")


def test_rows_and_what_differs_from_the_version_before_stand_in_the_file(run: RunView) -> None:
    """As the pages of the version and of the comparison ask for them; what cannot be had leaves the rest whole."""
    one, other = (save_artifact(pd.DataFrame({"a": [1, number]}), "frame") for number in (2, 3))
    kept = answers(export_version(Client(), other))
    rows = kept[f"/versions/{other.id}/rows?limit=50&offset=0"]
    assert isinstance(rows, dict)
    assert rows["items"] == [[0, 1], [1, 3]]
    assert f"/compare/versions?a={one.id}&b={other.id}" in kept
    assert f"/versions/{one.id}" in kept
    lost = save_artifact(pd.DataFrame({"a": range(5000)}), "lost")
    folder = lost.path.parent
    folder.chmod(0o755)
    shutil.rmtree(folder)
    assert f"/versions/{lost.id}" in answers(export_version(Client(), lost))


def test_what_lists_and_comparisons_need_stands_in_the_file(run: RunView) -> None:
    """Of the runs and versions whose pages are in it, and of no others; the settings only in a file of everything."""
    save_artifact(1, "elsewhere")
    of_run, of_all = answers(export_run(Client(), run)), answers(export_all(Client()))
    for kept in (of_run, of_all):
        assert [each["id"] for each in listed(kept, "/runs")] == [str(run.id)]
        assert {f"/versions/{each['id']}" for each in listed(kept, "/versions")} <= kept.keys()
    assert {each["name"] for each in listed(of_run, "/artifacts")} == {"counting::count::output", "counting::page::output"}
    assert {each["name"] for each in listed(of_all, "/artifacts")} >= {"elsewhere"}
    assert not {"/settings", "/home", "/pipelines", "/storage"} & of_run.keys()
    assert {"/settings", "/home", "/pipelines", "/storage"} < of_all.keys()
    sides = of_run["/compare/sides"]
    assert isinstance(sides, dict)
    assert sides["sides"][str(run.id)]["parameters"] == [["n", "5000", None, None]]


def listed(kept: dict[str, object], path: str) -> list[dict[str, str]]:
    found = kept[path]
    assert isinstance(found, list)
    return found


def test_a_long_log_stands_in_the_file_from_its_beginning(lineal_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All parts of it, up to a megabyte or so; what is left out is said."""

    @step
    def talk(n: int) -> None:
        for number in range(n):
            print(f"line {number:06}")

    @pipeline
    def talking(n: int) -> None:
        talk(n)

    for n, cut in ((30_000, None), (120_000, True)):
        run = talking(n)
        log = answers(export_run(Client(), run))[f"/step-runs/{run.steps['talk'].id}/log"]
        assert isinstance(log, dict)
        lines = log["text"].splitlines()
        assert lines == [f"line {number:06}" for number in range(len(lines))]
        assert (len(lines) == n, log.get("cut")) == (not cut, cut)
        assert len(log["text"]) >= min(n * 12, 1024 * 1024)


def test_the_command_writes_one_file(run: RunView, tmp_path: Path) -> None:
    """A run wins over an artifact of the same name; a file is not replaced by accident."""
    file = tmp_path / "out.html"
    done = CliRunner().invoke(cli, ["export", "html", "latest", str(file)], obj=State())
    assert (done.exit_code, done.output) == (0, f"{file} ({done.output.partition('(')[2]}")
    assert f"#/runs/{run.id}" in file.read_text()
    again = CliRunner().invoke(cli, ["export", "html", "latest", str(file)], obj=State())
    assert isinstance(again.exception, UsageError)
    assert "--overwrite" in str(again.exception)
    version = run.steps["count"].output
    for name in ("counting::count::output", "counting::count::output@1"):
        assert CliRunner().invoke(cli, ["export", "html", name, str(file), "--overwrite"], obj=State()).exit_code == 0
        assert f"#/versions/{version.id}" in file.read_text()
    assert CliRunner().invoke(cli, ["export", "html", "--all", str(file), "--overwrite"], obj=State()).exit_code == 0


@pytest.mark.parametrize(
    "words",
    [
        ["export", "html", "out.html"],
        ["export", "html", "--all", "latest", "out.html"],
        ["export", "html"],
        ["export", "html", "a", "b", "c"],
    ],
)
def test_what_is_not_said_is_asked_for(words: list[str]) -> None:
    with pytest.raises(UsageError, match="say which run or version to export, or --all"):
        CliRunner().invoke(cli, words, obj=State(), catch_exceptions=False)
