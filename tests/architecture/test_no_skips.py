"""The rule of `tests/conftest.py` that a skipped test fails the run on CI."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = {"test_skips.py": "import pytest\n\ndef test_it():\n    pytest.skip('no time')\n", "test_passes.py": "def test_it():\n    pass\n"}


@pytest.mark.parametrize(("name", "ci", "code"), [("test_skips.py", "true", 1), ("test_skips.py", "", 0), ("test_passes.py", "true", 0)])
def test_a_skip_fails_the_run_only_on_ci(root: Path, tmp_path: Path, name: str, ci: str, code: int) -> None:
    """With CI set a skip ends the run with 1 and is named; without it, or without a skip, the run passes."""
    shutil.copy(root / "tests" / "conftest.py", tmp_path)
    (tmp_path / name).write_text(TESTS[name], encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")} | {"CI": ci}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    assert ("test_skips.py::test_it: Skipped: no time" in done.stdout) == (code == 1)
