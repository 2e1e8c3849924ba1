from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lineal.errors import NoMaterializer
from lineal.materializers.mapped import MAP_FROM
from lineal.materializers.npy import ScalarMaterializer, canonical, storable
from lineal.materializers.numpy import ArrayMaterializer, MaskedArrayMaterializer
from lineal.testing.materializers import MaterializerTests, content, save

LARGE = MAP_FROM // 8 + 1

NUMBERS = sorted({np.dtype(code).str for code in "bBhHiIlLqQefdgFDG?"})
"""The names of the dtypes of numbers, each once: which of C's types are the same differs from system to system."""


def exactly(one: Any, other: Any) -> bool:
    """Tell whether two arrays are equal in dtype, shape, memory order and values, NaN equal to NaN."""
    if one.dtype != other.dtype or one.shape != other.shape or one.flags.fnc != other.flags.fnc:
        return False
    if one.dtype.names is not None:
        return all(exactly(one[name], other[name]) for name in one.dtype.names)
    return np.array_equal(one, other, equal_nan=one.dtype.kind in "fcmM")


class TestArray(MaterializerTests):
    """Arrays of every dtype that `.npy` holds."""

    materializer = ArrayMaterializer()
    values = (
        *(np.arange(5).astype(code) for code in NUMBERS),
        *(np.arange(5).astype(code) for code in (">i4", ">f8", ">c16", ">U3", "M8[s]", "m8[D]", "S2", "U0")),
        np.array([np.nan, -0.0, np.inf]),
        np.array(["NaT", "2020"], "M8[Y]"),
        np.array(["", "é", "日本"]),
        np.array([b"", b"\0a"]),
        np.array(5, "i2"),
        np.array("text"),
        np.zeros((0, 3)),
        np.zeros((3, 0), "i4"),
        np.arange(6).reshape(2, 3),
        np.asfortranarray(np.arange(6).reshape(2, 3)),
        np.array([(1, 2.5, "a")], [("x", "i4"), ("y", "f8"), ("z", "U2")]),
        np.array([(1, 2.5)], np.dtype([("x", "i1"), ("y", "f8")], align=True)),
        np.array([((1, 2), [3, 4])], [("a", [("b", "i1"), ("c", "i2")]), ("d", "f4", (2,))]),
        np.array([b"ab"], "V2"),
        np.arange(float(LARGE)),
        np.asfortranarray(np.arange(2.0 * LARGE).reshape(2, -1)),
    )

    def equal(self, one: Any, other: Any) -> bool:
        return exactly(one, other)

    def mutate(self, value: Any) -> bool:
        if value.size == 0 or value.dtype.itemsize == 0:
            return False
        before = value.copy()
        value[...] = np.roll(value, 1) if value.dtype.names is None and value.size > 1 else np.zeros(1, value.dtype)[0]
        return not exactly(value, before)


class TestScalar(MaterializerTests):
    """Scalars of every dtype."""

    materializer = ScalarMaterializer()
    other_process = False  # the same code as arrays, which are written there
    values = (
        *(np.dtype(code).type(1) for code in NUMBERS),
        np.datetime64("2020-01-01"),
        np.timedelta64(3, "ns"),
        np.str_("text"),
        np.str_(""),
        np.bytes_(b"bytes"),
        np.void(b"ab"),
        np.array([(1, 2.5)], "i4,f8")[0],
    )

    def equal(self, one: Any, other: Any) -> bool:
        return exactly(np.asarray(one), np.asarray(other))

    def mutate(self, value: Any) -> bool:
        return False


class TestMaskedArray(MaterializerTests):
    """Masked arrays with all their parts."""

    materializer = MaskedArrayMaterializer()
    other_process = False  # the values get there as pickles, which lose hard masks, the absence of a mask and the byte order
    values = (
        np.ma.masked_array([1, 2, 3]),
        np.ma.masked_array([1, 2, 3], mask=[0, 1, 0]),
        np.ma.masked_array([1, 2, 3], mask=[0, 0, 0]),
        np.ma.masked_array([1.0, np.nan], mask=[0, 1], fill_value=-1.5),
        np.ma.masked_array([1, 2, 3], mask=[0, 1, 0], hard_mask=True),
        np.ma.masked_array([[1, 2], [3, 4]], mask=[[0, 1], [0, 0]], dtype=">i2"),
        np.ma.masked_array([(1, 2.0)], mask=[(0, 1)], dtype="i4,f8"),
        np.ma.masked_array(["a", "b"], mask=[1, 0], fill_value="?"),
        np.ma.masked_array(np.arange(LARGE), mask=np.arange(LARGE) % 2),
    )

    def equal(self, one: Any, other: Any) -> bool:
        return (
            exactly(one.data, other.data)
            and (one.mask is np.ma.nomask) == (other.mask is np.ma.nomask)
            and exactly(np.ma.getmaskarray(one), np.ma.getmaskarray(other))
            and exactly(np.asarray(one.fill_value), np.asarray(other.fill_value))
            and one.hardmask == other.hardmask
        )

    def mutate(self, value: Any) -> bool:
        value.data[...] = value.data[::-1].copy() if value.size > 1 else np.zeros(1, value.dtype)
        value.mask = True
        return True


def test_a_large_array_is_mapped_and_plain(tmp_path: Path) -> None:
    """Above the limit the file is mapped, and the class is numpy.ndarray all the same, writeable and aligned."""
    folder = save(ArrayMaterializer(), np.arange(float(LARGE)), tmp_path / "a")
    loaded = ArrayMaterializer().load(folder, None)
    assert type(loaded) is np.ndarray
    assert isinstance(loaded.base, np.memmap)
    assert loaded.flags.writeable
    assert loaded.flags.aligned


def test_layout_in_memory_does_not_show(tmp_path: Path) -> None:
    """Slices, steps and reversed views of equal values give the bytes of a fresh array of the same order."""
    wide = np.arange(60).reshape(6, 10)
    views = [wide[::2, ::3], wide[::2, ::3].copy(), wide[::-1][::-1][::2, ::3], np.concatenate([wide, wide])[:6:2, ::3]]
    views.append(np.memmap(tmp_path / "m", wide.dtype, "w+", shape=(3, 4)))
    views[-1][...] = views[0]
    written = [content(save(ArrayMaterializer(), view, tmp_path / str(n))) for n, view in enumerate(views)]
    assert all(each == written[0] for each in written)


def test_times_of_another_byte_order_come_back(tmp_path: Path) -> None:
    """The byte order of times is kept, which pickle loses; hence this value is not among those above."""
    value = np.arange(5).astype(">M8[ns]")
    assert exactly(ArrayMaterializer().load(save(ArrayMaterializer(), value, tmp_path / "a"), None), value)


def test_padding_does_not_show(tmp_path: Path) -> None:
    """Bytes between the fields of a record, or behind an extended number, are not part of the value."""
    dtype = np.dtype([("flag", "?"), ("value", "f8"), ("inner", [("b", "i1"), ("w", "i4")])], align=True)
    clean = np.zeros((2, 3), dtype)
    dirty = np.frombuffer(bytearray(b"\xff" * clean.nbytes), dtype).reshape(2, 3)
    for name in ("flag", "value"):
        dirty[name] = 0
    for name in ("b", "w"):
        dirty["inner"][name] = 0
    long = np.frombuffer(bytearray(b"\xff" * np.dtype("g").itemsize * 4), "g")
    long[...] = [1, 2, 3, 4]
    for number, (one, other) in enumerate([(clean, dirty), (np.array([1, 2, 3, 4], "g"), long)]):
        files = [content(save(ArrayMaterializer(), each, tmp_path / f"{number}-{n}")) for n, each in enumerate((one, other))]
        assert files[0] == files[1]
    assert dirty.tobytes().count(b"\xff") > 0, "the array itself is left alone"


@pytest.mark.parametrize("code", ["G", ">g"])
def test_canonical_extended_numbers_keep_their_values(code: str) -> None:
    """Clearing what lies behind the digits of an extended number leaves the number as it is."""
    values = (np.arange(5) * 1.7).astype(code)
    assert np.array_equal(canonical(values), values)
    assert np.array_equal(canonical(values.reshape(5, 1)[::2]), values.reshape(5, 1)[::2])


@pytest.mark.parametrize(
    "value",
    [
        np.array([None, 1]),
        np.array([(1, None)], [("a", "i4"), ("b", "O")]),
        np.array([[1]]).view(np.matrix),
        np.rec.array([(1, 2)]),
        np.zeros(2, np.dtype({"names": ["a", "b"], "formats": ["i4", "i4"], "offsets": [0, 2]})),
        np.zeros(2, np.dtype("i4", metadata={"unit": "m"})),
        np.array(["a"], np.dtypes.StringDType()) if hasattr(np.dtypes, "StringDType") else np.array([None]),
    ],
    ids=["object", "object-field", "matrix", "recarray", "overlap", "metadata", "variable-text"],
)
def test_what_npy_cannot_give_back_is_declined(value: Any, tmp_path: Path) -> None:
    """Objects, subclasses and dtypes that would change are declined before anything is written."""
    assert not ArrayMaterializer().accepts(value)
    with pytest.raises(NoMaterializer, match=r"\.npy"):
        ArrayMaterializer().save(value, tmp_path)
    assert list(tmp_path.glob("*.npy")) == []


def test_a_forged_file_is_not_unpickled(tmp_path: Path) -> None:
    """An object array hidden in data.npy is refused, not unpickled."""
    np.save(tmp_path / "data.npy", np.array([print], object), allow_pickle=True)
    with pytest.raises(ValueError, match="allow_pickle=False"):
        ArrayMaterializer().load(tmp_path, None)


def test_a_record_of_many_fields_can_be_read(tmp_path: Path) -> None:
    """A header above numpy's own limit of 10,000 bytes is read."""
    value = np.zeros(2, [(f"a rather long name of a field {n}", "f8") for n in range(500)])
    for number, each in enumerate([value, np.zeros(2, [(f"naïve name Ω of a field {n}", "f8") for n in range(5000)])]):
        assert ArrayMaterializer().load(save(ArrayMaterializer(), each, tmp_path / str(number)), None).dtype == each.dtype


def test_subclasses_of_scalars_and_masked_objects_are_declined() -> None:
    """What would come back as another class or needs pickle is left to the next materializer."""

    class Meters(np.float64):
        pass

    assert not ScalarMaterializer().accepts(Meters(1))
    assert not MaskedArrayMaterializer().accepts(np.ma.masked_array([None, 1]))
    assert not MaskedArrayMaterializer().accepts(np.ma.masked_array(np.rec.array([(1, 2)])))
    assert storable(np.dtype("f8"))
