"""What can be changed in place: tags, pins and notes; and what can be deleted."""

from typing import Annotated, Final

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from lineal.client import Client
from lineal.server.answers import answer
from lineal.server.describing import refer
from lineal.server.reading import Id, version_of
from lineal.server.routes import Table

NOTE: Final = "note"
"""Key of the metadata that holds what somebody wrote about a version or a run."""

Tags = Annotated[list[str], Field(max_length=100)]


class _Body(BaseModel):
    """The body of a change. What it does not name cannot be changed with it."""

    model_config = ConfigDict(extra="forbid", strict=True)


class TagChange(_Body):
    """Tags to add and to take away; `exclusive` takes the added ones away from all other versions of the artifact."""

    add: Tags = []
    remove: Tags = []
    exclusive: bool = False


class RunTagChange(_Body):
    """Tags to add and to take away."""

    add: Tags = []
    remove: Tags = []


class PinChange(_Body):
    """Whether the version is kept from being deleted and pruned."""

    pinned: bool


class NoteChange(_Body):
    """The note of a version or a run, which is the key `note` of its metadata. Empty takes what it says away."""

    note: str = Field(max_length=10_000)


def add_to(table: Table, client: Client) -> None:
    """Add the operations to a table; `client` carries them out."""

    @table.post("/versions/{version_id}/tags", "write", refer("Version"))
    def tag_version(request: Request, version_id: Id, change: TagChange) -> Response:
        """Add tags to a version and take others away; gives the version."""
        view = version_of(client, version_id)
        if change.remove:
            view.remove_tags(change.remove)
        if change.add:
            view.add_tags(change.add, exclusive=change.exclusive)
        return answer(request, view.to_json())

    @table.post("/versions/{version_id}/pin", "write", refer("Version"))
    def pin_version(request: Request, version_id: Id, change: PinChange) -> Response:
        """Pin a version, or let it be deleted again; gives the version."""
        view = version_of(client, version_id)
        return answer(request, (view.pin() if change.pinned else view.unpin()).to_json())

    @table.post("/versions/{version_id}/note", "write", refer("Version"))
    def note_version(request: Request, version_id: Id, change: NoteChange) -> Response:
        """Write the note of a version; gives the version."""
        view = version_of(client, version_id)
        return answer(request, client.update_artifact_version(view.id, metadata={NOTE: change.note.strip()}).to_json())

    @table.delete("/versions/{version_id}", "write")
    def delete_version(request: Request, version_id: Id) -> Response:
        """Delete a version with its data. Refused, naming the runs, when one made or used it, and when it is pinned."""
        client.delete_artifact_version(version_of(client, version_id))
        return Response(status_code=204)

    @table.delete("/runs/{run_id}", "write")
    def delete_run(request: Request, run_id: Id) -> Response:
        """Delete a run with its steps and logs; says how many versions nothing refers to any more. Refused while it goes on."""
        return answer(request, {"unreferenced": client.delete_pipeline_run(client.get_pipeline_run(run_id))})

    @table.post("/runs/{run_id}/tags", "write", refer("Run"))
    def tag_run(request: Request, run_id: Id, change: RunTagChange) -> Response:
        """Add tags to a run and take others away; gives the run."""
        view = client.get_pipeline_run(run_id)
        if change.remove:
            view.remove_tags(change.remove)
        if change.add:
            view.add_tags(change.add)
        return answer(request, view.facts_json())

    @table.post("/runs/{run_id}/note", "write", refer("Run"))
    def note_run(request: Request, run_id: Id, change: NoteChange) -> Response:
        """Write the note of a run; gives the run."""
        view = client.update_pipeline_run(run_id, metadata={NOTE: change.note.strip()})
        return answer(request, view.facts_json())
