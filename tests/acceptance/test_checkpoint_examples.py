"""The examples that register a framework's checkpoints, run as a user runs them."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from lineal import Client

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("example", "library", "artifact", "count", "last"),
    [
        ("checkpoints.py", "torch", "checkpoints", 8, "accuracy"),
        ("checkpoints_lightning.py", "lightning", "lightning_checkpoints", 3, "prediction"),
    ],
)
def test_each_checkpoint_is_a_version_and_the_best_one_is_loaded_back(example: str, library: str, artifact: str, count: int, last: str):
    """With the lineage of what was made with it. Without the library the example says which one it needs."""
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / example)], env=os.environ, capture_output=True, text=True, timeout=110, check=False
    )
    if find_spec(library) is None:
        assert f"No module named '{library}'" in done.stderr
        return
    assert done.returncode == 0, done.stderr
    versions = Client().list_artifact_versions(artifact=artifact, sort="created")
    assert [version.version for version in versions] == [str(n + 1) for n in range(count)]
    [best] = [version for version in versions if "best" in version.tags]
    assert best.metadata["loss"] == min(version.metadata["loss"] for version in versions)
    assert best.step.name == "train"
    assert best.uri in str(best.path)
    result = Client().get_artifact_version(last)
    assert result.step.inputs["checkpoint"] == best
    assert f"{artifact}@{best.version}" in done.stdout
