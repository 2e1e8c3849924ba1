"""What holds for every test: a home of its own, nothing from the user's environment, printed seeds, and no skips where it counts."""

import os
import random
import secrets
from pathlib import Path

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis.database import DirectoryBasedExampleDatabase

ON_CI = os.environ.get("CI", "").lower() in ("1", "true", "yes")
SEED = "TEST_SEED"

# A deadline measures the machine, not the code. On CI the examples are the same at every run, so that red means changed.
# Failing examples are kept beside the tests: the working directory is another one in each test.
KEPT = DirectoryBasedExampleDatabase(Path(__file__).parents[1] / ".hypothesis" / "examples")
hypothesis_settings.register_profile("dev", deadline=None, database=KEPT)
hypothesis_settings.register_profile("ci", deadline=None, derandomize=True, database=None)
hypothesis_settings.load_profile("ci" if ON_CI else "dev")


def pytest_configure(config: pytest.Config) -> None:
    """Settle the seed before xdist starts its workers, which inherit the environment."""
    os.environ.setdefault(SEED, "1" if ON_CI else str(secrets.randbelow(2**32)))


def pytest_report_header(config: pytest.Config) -> str:
    """Name the seed of the run."""
    return f"seed: {os.environ[SEED]} (again with {SEED}={os.environ[SEED]})"


@pytest.fixture
def seeded(request: pytest.FixtureRequest) -> random.Random:
    """Give a random generator that depends on the run's seed and on the test's name, not on the order of tests."""
    return random.Random(f"{os.environ[SEED]}:{request.node.nodeid}")


@pytest.fixture(autouse=True)
def lineal_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give each test an empty home, an empty working directory and a user without configuration."""
    for name in list(os.environ):
        if name.startswith("LINEAL_"):
            monkeypatch.delenv(name)
    user = tmp_path / "user"
    user.mkdir()
    for name in ("HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(user))
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    home = tmp_path / "home"
    monkeypatch.setenv("LINEAL_HOME", str(home))
    return home


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Fail the run on CI when a test was skipped: there everything that a test needs is installed."""
    if _skipped(session.config) and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say which skips failed the run."""
    skipped = _skipped(config)
    if skipped:
        terminalreporter.section("a skipped test is a failure when CI is set", red=True, bold=True)
        for report in skipped:
            terminalreporter.line(f"{report.nodeid}: {report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr}")


def _skipped(config: pytest.Config) -> list[pytest.TestReport | pytest.CollectReport]:
    reporter = config.pluginmanager.getplugin("terminalreporter")
    if not ON_CI or reporter is None or hasattr(config, "workerinput"):  # workers report to the controller
        return []
    return list(reporter.stats.get("skipped", []))
