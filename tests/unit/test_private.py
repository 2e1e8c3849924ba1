"""Private folders: whose they are, where they lie, and when they go."""

import threading
from pathlib import Path

import pytest

from lineal import private
from lineal.private import PrivateScope, private_folder


def test_a_folder_is_new_empty_and_for_this_user_only():
    """Two are never the same."""
    one, other = private_folder(), private_folder()
    assert one != other
    assert list(one.iterdir()) == []
    assert one.stat().st_mode & 0o777 == 0o700
    assert one.parent.stat().st_mode & 0o777 == 0o700


def test_folders_of_a_scope_go_with_it_also_after_an_error():
    """What was made before or outside stays."""
    before = private_folder()
    with pytest.raises(KeyError), PrivateScope():
        inside = private_folder()
        (inside / "x").write_text("x")
        with PrivateScope():
            inner = private_folder()
        assert not inner.exists()
        assert inside.exists()
        raise KeyError
    assert not inside.exists()
    assert before.exists()


def test_a_scope_belongs_to_its_thread():
    """Another thread's folders are not removed when this one's scope ends."""
    made: list[Path] = []
    with PrivateScope():
        thread = threading.Thread(target=lambda: made.append(private_folder()))
        thread.start()
        thread.join()
    assert made[0].exists()


def test_a_temporary_folder_that_was_swept_is_made_again(tmp_path: Path):
    """A system that clears its temporary folder does not stop a long process."""
    private_folder().parent.rename(tmp_path / "swept")
    assert private_folder().is_dir()


def test_a_folder_lies_on_the_file_system_of_what_is_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Only there can a copy share blocks; where nothing is offered on it, the usual place serves."""
    devices = {str(tmp_path / "data"): 7, str(tmp_path): 7, "/elsewhere": 8}
    monkeypatch.setattr(private, "_device", lambda path: devices.get(str(path), 1))
    monkeypatch.setattr(private, "offered", {})
    usual = private_folder("/elsewhere").parent.parent
    monkeypatch.setitem(private.offered, tmp_path / "copies", lambda: tmp_path)
    assert private_folder(tmp_path / "data").parent.parent == tmp_path
    assert private_folder("/elsewhere").parent.parent == usual
    assert private_folder().parent.parent == usual


def test_a_device_that_cannot_be_told_is_no_obstacle():
    """The copy itself will say what is wrong."""
    assert private_folder("/no/such/place").is_dir()
    assert private._device("/no/such/place") is None
