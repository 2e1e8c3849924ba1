"""matplotlib figures: pictures that anything opens, and the figure itself where pickles are allowed."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cloudpickle
import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from lineal.errors import LinealWarning, NoMaterializer
from lineal.materializers.matplotlib import SVG_POINTS, FigureMaterializer, PictureMaterializer
from lineal.materializers.registry import registry
from lineal.model.records import FileEntry
from lineal.testing.materializers import MaterializerTests, content, load, save

mpl.use("Agg")


def figure(title: str = "T", make: Any = Figure) -> Any:
    """Give a figure with most of what people draw."""
    made = make(figsize=(3, 2), dpi=50)
    left, right = made.subplots(1, 2)
    left.plot([1, 2, 3], label="line")
    left.scatter([1, 2], [3, 4], c=[0, 1])
    left.set(title=title, xlabel="x")
    left.legend()
    left.yaxis.set_major_formatter(lambda value, position: f"{value} m")
    right.imshow(np.eye(3))
    return made


def pixels(made: Any) -> bytes:
    """Give what a figure looks like; of a copy, since drawing can change it."""
    canvas = FigureCanvasAgg(cloudpickle.loads(cloudpickle.dumps(made)))
    canvas.draw()
    return bytes(canvas.buffer_rgba())


class TestFigure(MaterializerTests):
    """Figures as they are."""

    materializer = FigureMaterializer()
    deterministic = False  # after a round trip; what is built alike gives equal bytes, which is tested below
    values = (Figure(), figure(), figure("other"))

    def equal(self, one: Any, other: Any) -> bool:
        return pixels(one) == pixels(other)

    def copy(self, value: Any) -> Any:
        return cloudpickle.loads(cloudpickle.dumps(value))

    def mutate(self, value: Any) -> bool:
        value.suptitle("changed by the test")
        return True


def test_figures_built_alike_give_equal_bytes(tmp_path: Path) -> None:
    """Saved twice, and built again: neither addresses nor counters nor dates are in the files."""
    one, other = figure(), figure()
    written = [content(save(FigureMaterializer(), each, tmp_path / str(number))) for number, each in enumerate((one, other, one))]
    assert written[0] == written[1] == written[2]
    assert set(written[0]) == {"figure.png", "figure.svg", "figure.json", "figure.pkl", "environment.json"}


def test_saving_does_not_draw_the_figure_itself(tmp_path: Path) -> None:
    """Drawing moves axes that matplotlib lays out, each time a little: the figure that the code goes on with stays as it was."""
    made = Figure(figsize=(3, 2), layout="constrained")
    _, right = made.subplots(1, 2)
    made.colorbar(right.imshow(np.eye(3)), ax=right)
    before = [axes.get_position().bounds for axes in made.axes]
    first = content(save(FigureMaterializer(), made, tmp_path / "a"))
    assert [axes.get_position().bounds for axes in made.axes] == before
    assert content(save(FigureMaterializer(), made, tmp_path / "b")) == first


def test_another_process_gives_equal_bytes(elsewhere: Callable[..., str], tmp_path: Path) -> None:
    """Also with another hash seed."""
    program = (
        "import sys; from pathlib import Path; from matplotlib.figure import Figure; from lineal.materializers.matplotlib import FigureMaterializer as M; "
        "f = Figure(); a = f.subplots(); a.plot([1, 2], label='x'); a.legend(); a.scatter([1], [2]); M().save(f, Path(sys.argv[1]))"
    )
    for name, seed in (("a", 1), ("b", 2)):
        (tmp_path / name).mkdir()
        elsewhere(program, tmp_path / name, seed=seed)
    assert content(tmp_path / "a") == content(tmp_path / "b")


def test_a_figure_of_pyplot_comes_back_without_its_window(tmp_path: Path) -> None:
    """Its number does not show in the bytes, and loading it adds nothing to pyplot's list of figures."""
    try:
        made = [figure(make=plt.figure) for _ in range(2)]
        folders = [save(FigureMaterializer(), each, tmp_path / str(number)) for number, each in enumerate(made)]
        before = plt.get_fignums()
        back = load(FigureMaterializer(), folders[0])
        assert plt.get_fignums() == before
    finally:
        plt.close("all")
    assert content(folders[0]) == content(folders[1])
    assert pixels(back) == pixels(figure())


def test_a_figure_that_was_loaded_can_be_worked_on(tmp_path: Path) -> None:
    """Limits, lines and callbacks still work together."""
    back = load(FigureMaterializer(), save(FigureMaterializer(), figure(), tmp_path / "a"))
    seen: list[Any] = []
    back.axes[0].callbacks.connect("xlim_changed", seen.append)
    before = pixels(back)
    back.axes[0].set_xlim(0, 9)
    back.axes[1].plot([0, 1])
    assert back.axes[0] in seen
    assert pixels(back) != before


def test_settings_are_as_they_were(tmp_path: Path) -> None:
    """The salt of names in an SVG is not left behind."""
    with mpl.rc_context({"svg.hashsalt": "mine"}):
        save(FigureMaterializer(), Figure(), tmp_path / "a")
        assert mpl.rcParams["svg.hashsalt"] == "mine"


def test_a_figure_of_many_points_has_no_svg(tmp_path: Path) -> None:
    """A hundred bytes a point would make it larger than the data."""
    for number, draw in enumerate([lambda a: a.plot(range(SVG_POINTS + 1)), lambda a: a.pcolormesh(np.zeros((200, 200)))]):
        made = Figure()
        draw(made.subplots())
        with pytest.warns(LinealWarning, match="picture only"):
            folder = save(PictureMaterializer(), made, tmp_path / str(number))
        assert {path.name for path in folder.iterdir()} == {"figure.png", "figure.json"}


def test_a_picture_alone_comes_back_as_a_figure_that_shows_it(tmp_path: Path) -> None:
    """Without a pickle the figure has the size and the look, and the warning says what is lost."""
    with pytest.warns(LinealWarning, match="kept as a picture only"):
        folder = save(PictureMaterializer(), figure(), tmp_path / "a")
    back = load(PictureMaterializer(), folder)
    assert type(back) is Figure
    assert tuple(back.get_size_inches()) == (3, 2)
    assert np.abs(np.frombuffer(pixels(back), "u1").astype(int) - np.frombuffer(pixels(figure()), "u1")).max() <= 1
    assert not list(folder.glob("*.pkl"))


def test_what_cannot_be_pickled_is_declined(tmp_path: Path) -> None:
    """A figure with something open in it goes to the next candidate, which keeps the picture."""
    made = Figure()
    made.open_file = sys.stdout
    with pytest.raises(NoMaterializer, match="cannot be pickled"):
        save(FigureMaterializer(), made, tmp_path / "a")
    assert registry.after(registry.for_value(made), made).id == "matplotlib.picture/1"


def test_only_the_one_with_a_pickle_is_unsafe() -> None:
    """The policy can tell them apart."""
    assert [each.safe for each in registry.candidates(Figure())[:2]] == [False, True]
    assert registry.for_type(Figure) is registry.by_id("matplotlib.Figure/1")


def test_preview_and_metadata(tmp_path: Path) -> None:
    """The stored picture shows itself without the pickle; size, resolution and titles are known."""
    folder = save(FigureMaterializer(), figure(), tmp_path / "a")
    files = [FileEntry(path.name, path.stat().st_size, "0" * 64) for path in folder.iterdir()]
    asked: list[str] = []

    def read(name: str) -> bytes:
        asked.append(name)
        return (folder / name).read_bytes()

    [shown] = FigureMaterializer().preview(files, read)
    assert (shown.kind, asked) == ("image", ["figure.png"])
    facts = FigureMaterializer().metadata(figure())
    assert facts["size"] == [3.0, 2.0]
    assert facts["axes"][0] == {"title": "T", "x": "x", "y": ""}
