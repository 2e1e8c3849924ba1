"""Files that would run code if anything opened them in good faith (A08, A09, A11): nothing that Lineal does with them ever does.

Each would create a file, the marker. The formats of the libraries have tests of their own beside their materializers; these go through
the whole system: registered, listed, shown, compared, verified, downloaded and loaded.
"""

import contextlib
import io
import json
import os
import pickle
import re
import sys
import warnings
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
import yaml

from lineal import Client, load_artifact, register_artifact, save_artifact
from lineal.cli import main
from lineal.errors import ArtifactCorrupted, LinealError, LinealWarning, PickleRefused
from lineal.materializers import registry as registries
from lineal.materializers.base import BytesMaterializer
from lineal.materializers.pickled import environment
from lineal.materializers.registry import registry
from lineal.model.naming import new_id
from lineal.model.records import NewOutput, VersionRecord
from lineal.settings import Settings
from lineal.workspace import Workspace, open_workspace

# Read when the libraries are imported, which is when their materializers are asked for.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["KERAS_BACKEND"] = "torch"


class Canary:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> Any:
        return Path.touch, (self.marker,)


class Plain:
    """A value that only a pickle holds."""


@pytest.fixture
def canary(tmp_path: Path) -> Iterator[Canary]:
    """Give a value whose pickle makes a file when it is read; at the end of the test the file must not be there."""
    proof = Canary(tmp_path / "proof")
    pickle.loads(pickle.dumps(proof))
    assert proof.marker.exists(), "the canary does not sing"
    canary = Canary(tmp_path / "marker")
    yield canary
    assert not canary.marker.exists(), "the canary sang: a file ran code"


def hostile_files(canary: Canary) -> dict[str, bytes]:
    """Give a file of each format that can hide code, by name."""
    pickled, code = pickle.dumps(canary), f"__import__('pathlib').Path({str(canary.marker)!r}).touch()"
    held, objects = io.BytesIO(), io.BytesIO()
    joblib.dump(canary, held)
    np.save(objects, np.array([canary], dtype=object), allow_pickle=True)
    archives = {}
    for name, members in {
        "model.pt": {"archive/data.pkl": pickled, "archive/version": b"3\n"},
        "objects.npz": {"a.npy": objects.getvalue()},
        "model.skops": {"schema.json": json.dumps({"__class__": "system", "__module__": "os", "__loader__": "FunctionNode"}).encode()},
        "model.keras": {"config.json": json.dumps({"class_name": "Lambda", "config": {"function": code}}).encode()},
    }.items():
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as file:
            for member, data in members.items():
                file.writestr(member, data)
        archives[name] = archive.getvalue()
    return {
        "data.pkl": pickled,
        "model.joblib": held.getvalue(),
        "objects.npy": objects.getvalue(),
        "settings.yaml": f"!!python/object/apply:pathlib.Path.touch [!!python/object/apply:pathlib.Path ['{canary.marker}']]".encode(),
        "setup.py": code.encode(),
        "page.html": b"<script>fetch('/evil')</script><img src=x onerror='fetch(1)'>",
        "picture.svg": b"<svg xmlns='http://www.w3.org/2000/svg'><script>fetch('/evil')</script></svg>",
        **archives,
    }


def everything(version: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> str:
    """Do all that there is to do with a version without loading it; give what was printed."""
    version.visualize()
    shown = version._repr_html_()
    version.visualize_to(tmp_path / f"shown-{version.id}")
    version.download(tmp_path / f"files-{version.id}")
    assert Client().verify(read_data=True).ok
    version.diff(version)
    name = f"{version.name}@{version.version}"
    for command in (["show", name], ["visualize", name], ["load", name], ["trust", name], ["versions", version.name], ["diff", name, name]):
        with pytest.raises(SystemExit):
            main(["artifact", *command])
    return str(shown) + capsys.readouterr().out


@pytest.mark.parametrize("mode", ["reference", "copy"])
def test_a11_a_registered_file_of_any_format_is_bytes_and_nothing_more(
    mode: Any, canary: Canary, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Loading gives a path; what is shown of it has no script that acts."""
    folder = tmp_path / "theirs"
    folder.mkdir()
    files = hostile_files(canary)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    with pytest.raises(yaml.YAMLError):
        yaml.safe_load(files["settings.yaml"])
    for place in (folder, *sorted(folder.iterdir())):
        version = register_artifact(place, place.name.replace(".", "_"), mode=mode)
        printed = everything(version, capsys, tmp_path)
        assert "<script>fetch" not in printed.replace("&lt;", "<lt;")
        loaded = version.load()
        assert loaded.name == place.name
        assert load_artifact(version.name).exists()


def store(materializer: str, files: dict[str, bytes], save_type: str = "uploaded") -> VersionRecord:
    """Record an object that says to be of some materializer, as somebody with the right to write could."""
    workspace = open_workspace()
    folder = workspace.artifact_store.stage()
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    [sealed] = workspace.artifact_store.seal([folder])
    name = "from-" + re.sub(r"[^a-z0-9]", "-", materializer.lower())
    return workspace.metadata.save_version(NewOutput(new_id(), "", name, None, sealed, materializer, "theirs", "data", save_type), None)


SOURCES = "".join(path.read_text(encoding="utf-8") for path in Path(registries.__file__).parent.glob("*.py"))
ELSEWHERE = (
    "catboost.",
    "datasets.",
    "keras.",
    "lightgbm.",
    "transformers.",
    "xgboost.",
)  # slow to import: their own tests have traps of the same kind
IDS = sorted(id for id in set(re.findall(r'(?m)^    id = "([^"]+)"', SOURCES)) if not id.startswith(ELSEWHERE))
NAMES = sorted(set(re.findall(r'"([\w]+\.(?:json|npy|pkl|safetensors|arrow|parquet|keras|skops|onnx|cbm|ubj|txt|bin))"', SOURCES)))
BYTES = {"bytes/1", "pathlib.Path/1", "text.html/1", "text.markdown/1", "text.csv/1", "onnx.ModelProto/1"}
"""Formats that take any bytes for a value, which is never run."""


def test_a11_no_format_reads_a_pickle_in_place_of_its_own_files(canary: Canary) -> None:
    """Every materializer there is meets a pickle in each file that it could look for: a typed error, and no code is run."""
    facts = json.dumps(environment(Canary)).encode()
    assert len(IDS) > 35
    assert len(NAMES) > 20
    assert [id for id in IDS if not registry.by_id(id).safe] == PICKLES
    for id in IDS:
        materializer = registry.by_id(id)
        names = {materializer.filename} if isinstance(materializer, BytesMaterializer) else set(NAMES)
        hostile = {name: facts if name == "environment.json" else pickle.dumps(canary) for name in names}
        version = Client().get_artifact_version(store(id, hostile).id)
        with contextlib.suppress(LinealError):  # typed, or nothing to show
            version.visualizations
        if id not in BYTES:
            with warnings.catch_warnings(), pytest.raises(LinealError if materializer.safe else PickleRefused):
                warnings.simplefilter("ignore")
                version.load()


PICKLES = ["cloudpickle/1", "container.pickle/1", "matplotlib.Figure/1", "torch.PickledModule/1"]


def hostile_pickle(canary: Canary) -> dict[str, bytes]:
    facts = json.dumps(environment(Canary)).encode()
    return {
        "data.pkl": pickle.dumps(canary),
        "figure.pkl": pickle.dumps(canary),
        "structure.pkl": pickle.dumps(canary),
        "environment.json": facts,
    }


@pytest.mark.parametrize("id", PICKLES)
def test_a08_a_pickle_that_no_run_of_this_workspace_made_stays_closed(
    id: str, canary: Canary, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until somebody says otherwise, by name; "forbid" beats that too."""
    version = Client().get_artifact_version(store(id, hostile_pickle(canary)).id)
    everything_but_trust = [["show"], ["visualize"], ["load"]]
    with pytest.raises(PickleRefused, match=r"no run of this workspace made it.*lineal artifact trust"):
        version.load()
    for command in everything_but_trust:
        with pytest.raises(SystemExit):
            main(["artifact", *command, version.name])
    with contextlib.suppress(ArtifactCorrupted):  # a figure has no picture here
        version.visualize_to(tmp_path / "shown")
    version.diff(version)
    assert Client().verify(read_data=True).ok
    monkeypatch.setenv("LINEAL_PICKLE", "forbid")
    Client().get_artifact_version(version.id).trust()
    with pytest.raises(PickleRefused, match="forbid"):
        Client().get_artifact_version(version.id).load()


def test_a08_trust_is_kept_with_who_and_when_and_shown(canary: Canary, capsys: pytest.CaptureFixture[str]) -> None:
    """It holds for the bytes that were named, in another version too, and for no others."""
    good = {"data.pkl": pickle.dumps([1, 2]), "environment.json": json.dumps(environment(list)).encode()}
    version = Client().get_artifact_version(store("cloudpickle/1", good).id)
    with pytest.raises(PickleRefused):
        version.load()
    with pytest.raises(SystemExit) as ended:
        main(["artifact", "trust", f"{version.name}@1", "--json"])
    assert ended.value.code == 0
    [trusted] = json.loads(capsys.readouterr().out)["trusted"]
    assert trusted["version"] == f"{version.name}@1"
    assert trusted["digest"] == version.record.object.digest
    assert "@" in trusted["by"]
    with pytest.raises(SystemExit):
        main(["artifact", "show", version.name])
    shown = capsys.readouterr().out
    assert re.search(r"trusted by +\S+@\S+ on 20\d\d-", shown)
    assert version.load() == [1, 2]
    same = Client().get_artifact_version(store("cloudpickle/1", good).id)
    assert same.load() == [1, 2]
    other = Client().get_artifact_version(store("cloudpickle/1", hostile_pickle(canary)).id)
    with pytest.raises(PickleRefused):
        other.load()
    Client().delete_artifact(version.name)
    assert [each.person for each in open_workspace().metadata.trust_in(trusted["digest"])] == [trusted["by"]]


def test_a09_bytes_that_were_swapped_after_the_check_are_not_the_ones_that_are_loaded(
    canary: Canary, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who may write to the store wins no race: what is hashed is what is unpickled."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LinealWarning)
        version = save_artifact(Plain(), "mine")
    path = Path(version.uri) / "data.pkl"
    honest, length = path.read_bytes(), len(pickle.dumps(canary))
    path.chmod(0o644)
    path.write_bytes(pickle.dumps(canary))
    with pytest.raises(ArtifactCorrupted):
        version.load()
    path.write_bytes(honest)
    read = Path.read_bytes

    def swap(self: Path) -> bytes:
        data = read(self)
        if self == path:  # as soon as it was read, other bytes lie there
            path.write_bytes(pickle.dumps(canary))
        return data

    monkeypatch.setattr(Path, "read_bytes", swap)
    assert type(version.load()) is Plain
    assert len(read(path)) == length, "the swap happened"


def test_f58_another_python_is_refused_before_anything_is_read(canary: Canary) -> None:
    """Both versions are named, and the bytes can still be had."""
    files = {**hostile_pickle(canary), "environment.json": json.dumps({"python": "2.7.18", "type": "x"}).encode()}
    version = Client().get_artifact_version(store("cloudpickle/1", files, "step").id)
    with pytest.raises(PickleRefused, match=rf"Python 2\.7\.18 \(here: {re.escape(sys.version.split()[0])}\)"):
        version.load()
    assert (version.download(Path("had")) / "data.pkl").exists()


def test_f58_another_release_of_a_library_is_refused_before_anything_is_read(canary: Canary) -> None:
    """Whoever made it, also where every pickle is allowed; only a decision about these very bytes lets them be loaded."""
    recorded = {"python": sys.version.split()[0], "type": "x", "libraries": {"hypothesis": "0.1.0"}}
    files = {"data.pkl": pickle.dumps([1, 2]), "environment.json": json.dumps(recorded).encode()}
    hostile = Client().get_artifact_version(
        store("cloudpickle/1", {**hostile_pickle(canary), **files, "data.pkl": pickle.dumps(canary)}, "step").id
    )
    version = Client().get_artifact_version(store("cloudpickle/1", files, "step").id)
    for policy in ("own", "allow"):
        client = Client(Workspace(replace(Settings.load(), pickle=policy)))
        for each in (hostile, version):
            with pytest.raises(PickleRefused, match=r"hypothesis 0\.1\.0 \(here: .*Use hypothesis 0\.1; .*lineal artifact trust"):
                client.get_artifact_version(each.record.id).load()
    version.trust()
    with pytest.warns(LinealWarning, match=r"hypothesis 0\.1\.0 .* because somebody trusts it"):
        assert version.load() == [1, 2]
