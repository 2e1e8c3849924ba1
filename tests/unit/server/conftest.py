"""A server over a home in which a pipeline has run."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from starlette.testclient import TestClient

from lineal import pipeline, step
from lineal.model.visualization import HTMLString
from lineal.server.access import Access
from lineal.server.app import create_app
from lineal.views import RunView
from lineal.workspace import open_workspace

TOKEN = "t" * 43


@step
def count(n: int) -> np.ndarray:
    print("counting")
    return np.arange(n)


@step
def page(values: np.ndarray) -> HTMLString:
    return HTMLString("<script>parent.document.title = 'stolen'</script><h1>made</h1>")


@pipeline
def counting(n: int = 5000) -> None:
    page(count(n))


@pytest.fixture
def run(lineal_home: Path) -> RunView:
    return counting()


@pytest.fixture
def access() -> Access:
    return Access(TOKEN)


@pytest.fixture
def browser(access: Access) -> Iterator[TestClient]:
    """Asks without a token, as a browser that has not signed in."""
    with TestClient(create_app(open_workspace(), access, ["testserver"]), follow_redirects=False) as client:
        yield client


@pytest.fixture
def server(browser: TestClient) -> TestClient:
    """Asks with the token."""
    browser.headers["authorization"] = f"Bearer {TOKEN}"
    return browser
