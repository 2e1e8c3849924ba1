"""What the command line takes away from a home, or decides about it, enters its audit, as what is done through a server does."""

import contextlib
from collections.abc import Iterator

from lineal.errors import LinealError
from lineal.host import person
from lineal.model.accounts import Act
from lineal.workspace import open_workspace


@contextlib.contextmanager
def noted(what: str, object: str = "", **details: object) -> Iterator[None]:
    """Note what the block does before it is done, and a second time when it was refused. Without the note it is not done.

    Where the facts are on a server, that one does it.
    """
    workspace = open_workspace()
    if workspace.database is None:
        yield
        return
    act = Act(f"command line ({person()})", what, object, details)
    with workspace.metadata.room():  # on a full disk this must not be what keeps a prune from making room
        workspace.accounts.append(act)
    try:
        yield
    except LinealError as error:
        workspace.accounts.append(act._replace(what=f"{what} refused", details={"why": type(error).__name__}))
        raise
