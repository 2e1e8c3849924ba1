"""Pillow: images as PNG (`data.png`), which loses nothing, and `image.json` with what PNG does not hold.

Mode, pixels, palette and `info` come back exactly, as a plain `PIL.Image.Image`. An image that was opened from a file is kept as
`Image.copy()` gives it: decoded, without its file and format. Modes that PNG lacks are stored as the PNG mode with as many bytes to
the pixel (CMYK as RGBA, F as RGBA ...), so the file shows odd colours and the value none.
"""

import io
import json
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageFile
from PIL.PngImagePlugin import PngImageFile, iTXt
from PIL.TiffImagePlugin import IFDRational

from lineal.errors import LinealWarning, NoMaterializer, NotPlain
from lineal.materializers.base import AnyMaterializer, Materializer, where
from lineal.model import values
from lineal.model.records import FileEntry, Json
from lineal.model.values_types import tagged
from lineal.model.visualization import Visualization

SIDE = 800
"""Pixels of the longer side up to which an image shows itself; of a larger one a smaller picture is kept."""

PICTURE = "data.png"
FACTS = "image.json"

_PNG_MODES: Mapping[str, str] = {
    **{mode: mode for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")},
    **dict.fromkeys(("I;16L", "I;16B", "I;16N"), "I;16"),
    **dict.fromkeys(("La", "PA"), "LA"),
    **dict.fromkeys(("YCbCr", "LAB", "HSV"), "RGB"),
    **dict.fromkeys(("CMYK", "RGBX", "RGBa", "I", "F"), "RGBA"),
}
"""The mode in which PNG holds the bytes of each mode."""


class ImageMaterializer(Materializer):
    """Saves an image."""

    id = "PIL.Image/1"
    types = (Image.Image,)

    def accepts(self, value: Any) -> bool:
        """Tell whether it is a plain image, or one of Pillow's own that was opened from a file, in a mode that is known."""
        opened = isinstance(value, ImageFile.ImageFile) and type(value).__module__.startswith("PIL.")
        return (type(value) is Image.Image or opened) and value.mode in _PNG_MODES

    def save(self, value: Any, folder: Path) -> None:
        """Write the files. Raises NoMaterializer when `info` holds what is not plain; warns that of several frames one is kept."""
        if getattr(value, "n_frames", 1) > 1:
            warnings.warn(
                f"{where.get() or 'the image'} has {value.n_frames} frames, of which the current one was saved; return the path of its "
                "file to keep all",
                LinealWarning,
                stacklevel=2,
            )
        value.load()  # one that was opened reads its pixels, and perhaps its mode, only now
        facts = {"mode": value.mode, "size": list(value.size), "palette": _palette(value), "info": _info(value.info)}
        (folder / FACTS).write_bytes(values.text(facts))
        if all(value.size):  # PNG has no empty pictures
            _as_png(value).save(folder / PICTURE, "PNG", compress_level=6)

    def load(self, folder: Path, type_: Any) -> Any:
        facts = json.loads((folder / FACTS).read_bytes())
        size = (facts["size"][0], facts["size"][1])
        made = Image.new(facts["mode"], size)
        if all(size):
            # Not through Image.open, which tries all formats and refuses large pictures.
            with PngImageFile(folder / PICTURE) as picture:
                made.frombytes(picture.tobytes())
        if facts["palette"] is not None:
            made.putpalette(values.from_json(facts["palette"]["colors"]), facts["palette"]["mode"])
            made.load()
        made.info = values.from_json(facts["info"], foreign=_read)
        return made

    def metadata(self, value: Any) -> Mapping[str, Json]:
        return {"mode": value.mode, "size": list(value.size), "bands": list(value.getbands())}

    def visualize(self, value: Any) -> Iterator[Visualization]:
        """Give a smaller picture of one that is large or in a mode that PNG lacks; any other shows itself."""
        if all(value.size) and not _shows_itself(value.mode, value.size):
            yield Visualization("image", _thumbnail(value), f"{value.width:,} \N{MULTIPLICATION SIGN} {value.height:,}, {value.mode}")

    def preview(self, files: Sequence[FileEntry], read: Callable[[str], bytes]) -> Sequence[Visualization]:
        """Give the picture itself, unless a smaller one was made of it."""
        if all(each.path != PICTURE for each in files):
            return ()
        facts = json.loads(read(FACTS))
        return [Visualization("image", read(PICTURE))] if _shows_itself(facts["mode"], facts["size"]) else ()


def _shows_itself(mode: str, size: Sequence[int]) -> bool:
    return _PNG_MODES[mode] == mode and mode != "I;16" and max(size) <= SIDE


def _thumbnail(image: Any) -> bytes:
    step = -(-max(image.size) // (2 * SIDE))  # pixels are left out first: to weigh all of a large picture takes its time
    size = tuple(max(side // step, 1) for side in image.size)
    small = image.resize(size, Image.Resampling.NEAREST) if step > 1 else image.copy()
    if small.mode.startswith(("I", "F")):
        low, high = small.convert("F").getextrema()
        scale = 255 / (high - low) if 0 < high - low < float("inf") else 0.0
        small = small.convert("F").point(lambda value: value * scale - low * scale)
        small = small.convert("L")
    if small.mode == "La":
        small = small.convert("LA")
    has_opacity = small.mode in ("LA", "PA", "La", "RGBA", "RGBa") or "transparency" in small.info
    small = small.convert("RGBA" if has_opacity else "RGB")
    small.thumbnail((SIDE, SIDE))
    out = io.BytesIO()
    small.save(out, "PNG")
    return out.getvalue()


def _as_png(image: Any) -> Any:
    """Give an image without `info`, which PNG would hold in part, in a mode that PNG has."""
    mode = _PNG_MODES[image.mode]
    bare = Image.frombytes(mode, image.size, image.tobytes())
    if mode == "P":
        # All 256: Pillow writes as few bits as the colours need, and a pixel may have a number without a colour.
        shown = "RGBA" if image.palette.mode == "RGBA" else "RGB"
        colours = image.getpalette(shown)
        bare.putpalette(colours + [0] * (256 * len(shown) - len(colours)), shown)
    return bare


def _palette(image: Any) -> Any:
    if image.mode not in ("P", "PA"):
        return None
    mode = image.palette.mode
    return {"mode": mode, "colors": values.to_json(bytes(image.getpalette(mode)))}


def _info(info: Mapping[Any, Any]) -> Json:
    try:
        return values.to_json(info, name="the info of the image", foreign=_write)
    except NotPlain as error:
        raise NoMaterializer(f"{error}; the image is left to the fallback") from error


def _write(value: Any, path: Callable[[], str], *, last: bool) -> Json | None:
    if type(value) is iTXt:
        return tagged("item", kind="iTXt", text=values.to_json(str(value)), lang=value.lang, tkey=value.tkey)
    if type(value) is IFDRational:
        return tagged("item", kind="IFDRational", numerator=value.numerator, denominator=value.denominator)
    return None


def _read(node: Mapping[str, Json]) -> Any:
    if node["kind"] == "IFDRational":
        return IFDRational(node["numerator"], node["denominator"])
    return iTXt(values.from_json(node["text"]), node["lang"], node["tkey"])


MATERIALIZERS: tuple[type[AnyMaterializer], ...] = (ImageMaterializer,)
