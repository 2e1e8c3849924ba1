"""Visualizations are saved beside the value, in the same barrier, and read back without loading it."""

from pathlib import Path
from typing import Any

import pytest

from lineal.artifact_store.local import LocalArtifactStore
from lineal.artifacts import INLINE_LIMIT, Artifacts, Item, Saved, boots
from lineal.errors import ArtifactCorrupted, ArtifactMissing, LinealWarning, MaterializerError
from lineal.materializers.base import Materializer
from lineal.materializers.registry import registry
from lineal.model.records import VersionRecord
from lineal.model.visualization import HTMLString, Visualization

PNG = b"\x89PNG\r\n\x1a\n"


class Thing:
    """A value with visualizations."""

    def __init__(self, *shown: Visualization) -> None:
        self.shown = shown


class ThingMaterializer(Materializer):
    id = "tests.visualized_thing/1"

    def save(self, value: Thing, folder: Path) -> None:
        (folder / "thing.txt").write_text("thing")

    def load(self, folder: Path, type_: Any) -> Thing:
        raise AssertionError("visualizations are shown without loading the value")

    def visualize(self, value: Thing) -> Any:
        for each in value.shown:
            if each.content == "fail":
                raise RuntimeError("no picture")
            yield each


def text(content: str, title: str = "") -> Visualization:
    return Visualization("text", content, title)


def item(*shown: Visualization) -> Item:
    return Item("output 'thing'", Thing(*shown), ThingMaterializer())


@pytest.fixture
def artifacts(tmp_path: Path) -> Artifacts:
    return Artifacts(LocalArtifactStore(tmp_path / "store"), registry, sync=True, pickle="own")


def record(saved: Saved, **given: Any) -> VersionRecord:
    return VersionRecord("id", "thing", "1", 1, saved.object, saved.materializer, saved.type, saved.data_type, "step", 0, **given)


def staging(artifacts: Artifacts) -> list[Path]:
    return list((Path(artifacts.store.url) / "staging").iterdir())


def test_visualizations_are_files_of_one_companion_object(artifacts: Artifacts) -> None:
    shown = [text("one", "First"), Visualization("html", "<p>two")]
    [saved] = artifacts.save([item(*shown)])
    assert saved.companion is not None
    assert [entry.path for entry in saved.companion.object.files] == ["0.txt", "1.html"]
    assert artifacts.store.holds(saved.companion.object, verify=True)
    assert artifacts.visualizations(record(saved), saved.companion) == shown
    assert staging(artifacts) == []


def test_a_single_small_visualization_lives_in_its_row(artifacts: Artifacts) -> None:
    """It costs no file and no sync."""
    [small] = artifacts.save([item(text("a"))])
    [large] = artifacts.save([item(text("a" * (INLINE_LIMIT + 1)))])
    assert small.companion is not None
    assert large.companion is not None
    assert small.companion.object.inline == b"a"
    assert large.companion.object.inline is None
    assert artifacts.visualizations(record(small), small.companion) == [text("a")]
    assert artifacts.visualizations(record(large), large.companion)[0].content == "a" * (INLINE_LIMIT + 1)


def test_each_value_keeps_its_own(artifacts: Artifacts) -> None:
    """Values with several, with one, with none, and scalars, in one save."""
    one, none, several = artifacts.save([item(text("1")), Item("x", 5), item(text("2"), text("3"))])
    assert artifacts.visualizations(record(one), one.companion) == [text("1")]
    assert none.companion is None
    assert artifacts.visualizations(record(several), several.companion) == [text("2"), text("3")]


def test_visualizations_are_switched_off_by_call_and_by_setting(artifacts: Artifacts) -> None:
    """The call beats the setting."""
    assert artifacts.save([item(text("a"))], visualize=False)[0].companion is None
    artifacts.visualize = False
    assert artifacts.save([item(text("a"))])[0].companion is None
    assert artifacts.save([item(text("a"))], visualize=True)[0].companion is not None


def test_a_failing_visualization_keeps_the_value_and_the_others(artifacts: Artifacts) -> None:
    with pytest.warns(LinealWarning, match=r"no visualization of output 'thing'.*RuntimeError: no picture"):
        failing, fine = artifacts.save([item(text("kept"), text("fail")), item(text("fine"))])
    assert artifacts.store.holds(failing.object)
    assert artifacts.visualizations(record(failing), failing.companion) == [text("kept")]
    assert artifacts.visualizations(record(fine), fine.companion) == [text("fine")]


def test_a_save_that_fails_leaves_nothing_staged(artifacts: Artifacts) -> None:
    class Broken(ThingMaterializer):
        id = "tests.visualized_broken/1"

        def save(self, value: Thing, folder: Path) -> None:
            raise OSError("broken")

    with pytest.raises(MaterializerError):
        artifacts.save([item(text("a"), text("b")), Item("x", Thing(), Broken())])
    assert staging(artifacts) == []


def test_what_is_not_durable_yet_includes_visualizations(tmp_path: Path) -> None:
    """With durability `run` they are made durable at the end of the run, as the values are."""
    unsynced = Artifacts(LocalArtifactStore(tmp_path / "store"), registry, sync=False, pickle="own")
    [saved] = unsynced.save([item(text("a"), text("b"))])
    assert saved.companion is not None
    assert boots([saved]) == [saved.object.digest, saved.companion.object.digest]


def test_text_shows_itself_and_nothing_is_stored_for_it(artifacts: Artifacts) -> None:
    for content in ("<p>small", "<p>large" * 10_000):
        [saved] = artifacts.save([Item("page", HTMLString(content))])
        assert saved.companion is None
        assert artifacts.visualizations(record(saved), None) == [Visualization("html", content)]
        assert artifacts.visualizations(record(saved, state="pruned"), None) == []


def test_without_the_library_of_a_value_its_pictures_are_shown(artifacts: Artifacts) -> None:
    """What was made when it was saved is shown as well, and neither is loaded."""
    [page] = artifacts.save([Item("page", HTMLString("<p>"))])
    foreign = VersionRecord("id", "thing", "1", 1, page.object, "nowhere.Thing/1", "x", "data", "step", 0)
    assert artifacts.visualizations(foreign, None) == []
    folder = artifacts.store.stage()
    (folder / "picture.png").write_bytes(PNG)
    (folder / "model.bin").write_bytes(b"x")
    [stored] = artifacts.store.seal([folder])
    [saved] = artifacts.save([item(text("a"))])
    pictured = VersionRecord("id", "thing", "1", 1, stored, "nowhere.Thing/1", "x", "data", "step", 0)
    assert artifacts.visualizations(pictured, saved.companion) == [text("a"), Visualization("image", PNG)]


def test_what_is_made_of_the_files_follows_what_was_stored(artifacts: Artifacts) -> None:
    class Both(ThingMaterializer):
        id = "tests.visualized_both/1"

        def preview(self, files: Any, read: Any) -> Any:
            return [text(read(files[0].path).decode())]

    [saved] = artifacts.save([Item("x", Thing(text("stored")), Both())])
    assert artifacts.visualizations(record(saved), saved.companion) == [text("stored"), text("thing")]


def test_lost_and_changed_visualizations_are_noticed(artifacts: Artifacts) -> None:
    [saved] = artifacts.save([item(text("a"), text("b"))])
    assert saved.companion is not None
    folder = artifacts.store.fetch(saved.companion.object)
    folder.chmod(0o755)
    (folder / "0.txt").chmod(0o644)
    (folder / "0.txt").write_text("x")
    with pytest.raises(ArtifactCorrupted, match=r"the visualizations of thing@1"):
        artifacts.visualizations(record(saved), saved.companion)
    artifacts.store.delete(saved.companion.object.digest)
    with pytest.raises(ArtifactMissing):
        artifacts.visualizations(record(saved), saved.companion)
