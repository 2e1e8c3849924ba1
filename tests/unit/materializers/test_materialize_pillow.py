"""Images come back with their mode, pixels, palette and info."""

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo, iTXt
from PIL.TiffImagePlugin import IFDRational

from lineal.errors import LinealWarning, NoMaterializer
from lineal.materializers.pillow import FACTS, PICTURE, ImageMaterializer
from lineal.materializers.registry import registry
from lineal.model.records import FileEntry
from lineal.testing.materializers import MaterializerTests, content, load, save

MODES = ("1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "LAB", "HSV", "I", "F", "I;16", "I;16B", "I;16L")


def picture(mode: str, size: tuple[int, int] = (7, 5)) -> Any:
    """Give an image in which every byte is another."""
    count = len(Image.new(mode, size).tobytes())
    return Image.frombytes(mode, size, bytes(number * 37 % 256 for number in range(count)))


def with_palette(mode: str, colours: list[int], palette: str = "RGB") -> Any:
    """Give an image with a palette, which uses numbers that the palette does not have."""
    made = picture(mode)
    made.putpalette(colours, palette)
    return made


def with_info(**info: Any) -> Any:
    """Give an image that knows something."""
    made = picture("RGB")
    made.info = info
    return made


class TestImage(MaterializerTests):
    """Images of every mode, with palettes and info."""

    materializer = ImageMaterializer()
    other_process = False  # pickles lose the mode of a palette; tested below
    values = (
        *map(picture, MODES),
        with_palette("P", [1, 2, 3, 4, 5, 6]),
        with_palette("P", list(range(256)) * 3),
        with_palette("P", [1, 2, 3, 9, 4, 5, 6, 8], "RGBA"),
        with_palette("PA", [1, 2, 3, 4, 5, 6]),
        Image.new("RGB", (0, 3)),
        Image.new("P", (3, 0)),
        with_info(dpi=(72, 72.5), exif=b"\x00\xff", text="é", transparency=(1, 2, 3), gamma=float("inf")),
        with_info(Title=iTXt("text", "en", "titel")),
        with_info(dpi=(IFDRational(300, 7), 1)),
    )

    def equal(self, one: Any, other: Any) -> bool:
        palettes = [each.palette and (each.palette.mode, each.getpalette(each.palette.mode)) for each in (one, other)]
        types = [[type(item) for item in each.info.values()] for each in (one, other)]
        return bool(one == other and palettes[0] == palettes[1] and types[0] == types[1] and list(one.info) == list(other.info))

    def copy(self, value: Any) -> Any:
        made = value.copy()
        made.info = dict(value.info)
        return made

    def mutate(self, value: Any) -> bool:
        if not all(value.size):
            return False
        value.paste(Image.frombytes(value.mode, value.size, bytes(len(value.tobytes()))))
        return True


def test_another_process_gives_equal_bytes(elsewhere: Any, tmp_path: Path) -> None:
    """The same image made elsewhere has the same digest."""
    folder = save(ImageMaterializer(), with_info(b=1, a=2), tmp_path / "here")
    (tmp_path / "there").mkdir()
    program = (
        "import sys; from pathlib import Path; from PIL import Image; from lineal.materializers.pillow import ImageMaterializer as M; "
        "i = Image.frombytes('RGB', (7, 5), bytes(n * 37 % 256 for n in range(105))); i.info = {'b': 1, 'a': 2}; M().save(i, Path(sys.argv[1]))"
    )
    elsewhere(program, tmp_path / "there", seed=7)
    assert content(folder) == content(tmp_path / "there")


def opened(suffix: str, **options: Any) -> Any:
    """Give an image as `Image.open` gives it, from a file of a format."""
    file = io.BytesIO()
    picture("RGB").save(file, suffix, **options)
    file.seek(0)
    return Image.open(file)


@pytest.mark.parametrize("suffix", ["PNG", "JPEG", "TIFF", "BMP"])
def test_an_opened_image_comes_back_plain(suffix: str, tmp_path: Path) -> None:
    """What was opened from a file is decoded and comes back as `copy()` gives it, with the info of the file."""
    value = opened(suffix, dpi=(300, 300))
    assert registry.for_value(value).id == "PIL.Image/1"
    back = load(ImageMaterializer(), save(ImageMaterializer(), value, tmp_path / "a"))
    assert type(back) is Image.Image
    assert back == value.copy()


def test_text_of_a_png_comes_back(tmp_path: Path) -> None:
    """Texts with a language, as Pillow reads them from a PNG."""
    texts = PngInfo()
    texts.add_itxt("Title", "ein Bild", "de", "Titel")
    back = load(ImageMaterializer(), save(ImageMaterializer(), opened("PNG", pnginfo=texts), tmp_path / "a"))
    assert (back.info["Title"], back.info["Title"].lang, back.info["Title"].tkey) == ("ein Bild", "de", "Titel")


def test_further_frames_are_warned_about(tmp_path: Path) -> None:
    """Of an animation one frame is kept, and that is said."""
    value = opened("GIF", save_all=True, append_images=[Image.new("RGB", (7, 5), "red")])
    with pytest.warns(LinealWarning, match="2 frames, of which the current one"):
        save(ImageMaterializer(), value, tmp_path / "a")


def test_the_file_shows_the_picture(tmp_path: Path) -> None:
    """In the modes that PNG has, palettes among them, `data.png` is the picture."""
    for number, value in enumerate([picture("RGB"), picture("L"), with_palette("P", list(range(256)) * 3)]):
        found = Image.open(save(ImageMaterializer(), value, tmp_path / str(number)) / PICTURE)
        assert found.convert("RGB").tobytes() == value.convert("RGB").tobytes()


def test_a_large_picture_is_no_bomb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit by which Pillow refuses large files of strangers does not refuse what was saved."""
    folder = save(ImageMaterializer(), picture("RGB"), tmp_path / "a")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1)
    assert load(ImageMaterializer(), folder) == picture("RGB")


def test_info_that_is_not_plain_is_declined(tmp_path: Path) -> None:
    """What JSON cannot hold is named, and the image goes to the next candidate."""
    with pytest.raises(NoMaterializer, match=r"info of the image\['maker'\]"):
        save(ImageMaterializer(), with_info(maker=object()), tmp_path / "a")
    assert list((tmp_path / "a").iterdir()) == []


def test_a_subclass_of_ones_own_is_declined() -> None:
    """It would come back as a plain image."""

    class Mine(Image.Image):
        pass

    assert not ImageMaterializer().accepts(Mine())


def test_preview_and_metadata(tmp_path: Path) -> None:
    """The stored picture shows itself, but not in a mode whose colours would be wrong."""
    shown = {}
    for mode in ("RGB", "CMYK"):
        folder = save(ImageMaterializer(), picture(mode), tmp_path / mode)
        files = [FileEntry(path.name, path.stat().st_size, "0" * 64) for path in folder.iterdir()]
        shown[mode] = ImageMaterializer().preview(files, lambda name, folder=folder: (folder / name).read_bytes())  # type: ignore[misc]
    assert [each.kind for each in shown["RGB"]] == ["image"]
    assert shown["CMYK"] == ()
    assert ImageMaterializer().preview([FileEntry(FACTS, 1, "0" * 64)], lambda name: b"") == ()
    assert ImageMaterializer().metadata(picture("LA")) == {"mode": "LA", "size": [7, 5], "bands": ["L", "A"]}
