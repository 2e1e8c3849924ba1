"""A server over a home in which a pipeline has run."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from starlette.testclient import TestClient

from lineal import pipeline, step
from lineal.model.accounts import Act
from lineal.model.visualization import HTMLString
from lineal.server.access import Principal, Role, Source
from lineal.server.app import create_app
from lineal.server.owner import OwnerAccess
from lineal.server.people import People
from lineal.server.team import TeamAccess, new_token
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
def access() -> OwnerAccess:
    return OwnerAccess(TOKEN, accounts=open_workspace().accounts)


@pytest.fixture
def browser(access: OwnerAccess) -> Iterator[TestClient]:
    """Asks without a token, as a browser that has not signed in."""
    with TestClient(create_app(open_workspace(), access, ["testserver"]), follow_redirects=False) as client:
        yield client


@pytest.fixture
def server(browser: TestClient) -> TestClient:
    """Asks with the token."""
    browser.headers["authorization"] = f"Bearer {TOKEN}"
    return browser


PASSWORD = "the engine weaves"


class Team:
    """A server for a team: signs browsers in, and sends tokens."""

    def __init__(self, app: object, access: TeamAccess) -> None:
        self.app = app
        self.access = access
        self.accounts = access.accounts
        self._people = People(access.accounts, Principal("test", Role.ADMIN), Source())

    def browser(self, name: str | None = None) -> TestClient:
        """A browser, in which somebody is signed in."""
        client = TestClient(self.app, follow_redirects=False)  # type: ignore[arg-type]
        if name is not None:
            assert client.post("/api/v1/session", json={"name": name, "password": PASSWORD}).status_code == 204
        return client

    def program(self, name: str, role: Role | None = None) -> TestClient:
        """A program that sends a token of a user."""
        user = self.accounts.get_user(name)
        token, text = new_token(user, "test", role or user.role, None, 1)
        self.accounts.add_token(token, Act("test", "token created"))
        return TestClient(self.app, follow_redirects=False, headers={"authorization": f"Bearer {text}"})  # type: ignore[arg-type]

    def add(self, name: str, role: Role) -> None:
        """Add a user with the password of all."""
        self._people.add_user(name, role, PASSWORD)


@pytest.fixture
def team(lineal_home: Path) -> Team:
    """A server with ada, an admin, eddy, an editor, and vera, a viewer."""
    workspace = open_workspace()
    access = TeamAccess(workspace.accounts)
    found = Team(create_app(workspace, access, ["testserver"]), access)
    for name, role in (("ada", Role.ADMIN), ("eddy", Role.EDITOR), ("vera", Role.VIEWER)):
        found.add(name, role)
    return found
