"""The systems of the matrix: what is installed, what the table says of the settings, and a few lines that run a step as a user would.

Each is set up to keep results between runs, with its defaults for all else. The lines are run in the system's own environment, by
`serve.py`: imported once, then `run(step, args, state)` in a process of its own per run, where `state` is the folder that lasts.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class System:
    """One system."""

    name: str
    distribution: str
    requirements: tuple[str, ...]
    settings: str
    adapter: str
    environment: dict[str, str] = field(default_factory=dict)
    server: tuple[str, ...] = ()  # the arguments of its program; `{port}` is filled in


QUIET = {"DO_NOT_TRACK": "1", "NO_COLOR": "1", "PYTHONDONTWRITEBYTECODE": "1"}

LINEAL = System(
    "Lineal",
    "lineal",
    (),
    "`@step` and `@pipeline`, no options",
    """
import os
import lineal
os.environ["LINEAL_QUIET"] = "1"

def run(step, args, state):
    os.environ["LINEAL_HOME"] = state
    as_step = lineal.step(step)
    @lineal.pipeline
    def case():
        return as_step(*args)
    return case().steps["step"].output.load()
""",
)

ZENML = System(
    "ZenML",
    "zenml",
    ("zenml[local]",),
    "`@step(enable_cache=True)` in a `@pipeline`, the local stack; no `source_dependencies`",
    """
import os
import zenml
from zenml import pipeline, step as as_step

def run(step, args, state):
    os.environ["ZENML_CONFIG_PATH"], os.environ["ZENML_LOCAL_STORES_PATH"] = state, state + "/stores"
    decorated = as_step(enable_cache=True)(step)
    @pipeline
    def case():
        decorated(*args)
    return next(iter(case().steps.values())).output.load()
""",
    {"ZENML_ANALYTICS_OPT_IN": "false", "ZENML_LOGGING_VERBOSITY": "ERROR", "ZENML_ENABLE_RICH_TRACEBACK": "false"},
)

PREFECT = System(
    "Prefect",
    "prefect",
    ("prefect", "fastapi<0.120"),
    "`@task(persist_result=True, cache_policy=INPUTS + TASK_SOURCE)` in a `@flow`, a local server; the default policy counts the run too",
    """
from prefect import flow, task
from prefect.cache_policies import INPUTS, TASK_SOURCE
from prefect.settings import PREFECT_LOCAL_STORAGE_PATH, temporary_settings

def run(step, args, state):
    with temporary_settings({PREFECT_LOCAL_STORAGE_PATH: state}):
        as_task = task(persist_result=True, cache_policy=INPUTS + TASK_SOURCE)(step)
        @flow
        def case():
            return as_task(*args)
        return case()
""",
    {
        "PREFECT_API_URL": "http://127.0.0.1:{port}/api",
        "PREFECT_LOGGING_LEVEL": "CRITICAL",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_UI_ENABLED": "false",
    },
    ("server", "start", "--host", "127.0.0.1", "--port", "{port}"),
)

REDUN = System(
    "redun",
    "redun",
    ("redun",),
    "`@task()`, run by a `Scheduler` with a database in a file",
    """
from redun import Scheduler, task
from redun.config import Config

def run(step, args, state):
    as_task = task(namespace="case")(step)
    scheduler = Scheduler(config=Config({"backend": {"db_uri": f"sqlite:///{state}/redun.db"}}))
    scheduler.load()
    return scheduler.run(as_task(*args))
""",
)

HAMILTON = System(
    "Hamilton",
    "sf-hamilton",
    ("sf-hamilton",),
    "a driver built `with_cache()`; the step is a node, as functions of a module are",
    """
from hamilton import ad_hoc_utils, driver

def run(step, args, state):
    nodes = ad_hoc_utils.create_temporary_module(step, module_name="nodes")
    built = driver.Builder().with_modules(nodes).with_cache(path=state).build()
    return built.execute(["step"], inputs={"x": args[0]} if args else {})["step"]
""",
    {"HAMILTON_TELEMETRY_ENABLED": "false"},
)

JOBLIB = System(
    "joblib",
    "joblib",
    ("joblib",),
    "`Memory(folder).cache(step)`",
    """
from joblib import Memory

def run(step, args, state):
    return Memory(state, verbose=0).cache(step)(*args)
""",
)

SYSTEMS = (LINEAL, ZENML, PREFECT, REDUN, HAMILTON, JOBLIB)
