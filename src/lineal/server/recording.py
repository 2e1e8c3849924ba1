"""What is changed through the API enters the audit before it is done, so that nothing is done that is not recorded."""

import functools
import inspect
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final

from fastapi import Request
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from lineal.errors import LinealError
from lineal.model.accounts import Act
from lineal.server.access import Access, principal_of, source_of
from lineal.server.routes import Handler, Route

LONGEST: Final = 4000
"""Characters of a body that are recorded; of a longer one its size is."""


def recorded(route: Route, access: Access, room: Callable[[], AbstractContextManager[object]]) -> Handler:
    """Give the handler of a route, as one that records each call under the operation's name, and a second time when it was refused.

    `room` gives back the space that is kept for what makes room on a full disk.
    """
    operation, handler, details = route
    if access.accounts is None or not operation.is_recorded:
        return handler
    write = access.accounts.append
    what = operation.name.replace("_", " ")

    def append(act: Act) -> None:
        with room() if operation.makes_room else nullcontext():
            write(act)

    @functools.wraps(handler)
    async def record_and_do(request: Request, **given: Any) -> Any:
        act = _act(what, request, given)
        if details is not None:
            act = act._replace(details=details(await request.body()))
        await run_in_threadpool(append, act)
        try:
            if inspect.iscoroutinefunction(handler):
                return await handler(request, **given)
            return await run_in_threadpool(handler, request, **given)
        except LinealError as error:
            await run_in_threadpool(append, act._replace(what=f"{what} refused", details={"why": type(error).__name__}))
            raise

    return record_and_do


def _act(what: str, request: Request, given: dict[str, Any]) -> Act:
    details: dict[str, Any] = {}
    for name, value in given.items():
        if isinstance(value, BaseModel):
            text = value.model_dump_json(exclude_defaults=True)
            details[name] = value.model_dump(mode="json", exclude_defaults=True) if len(text) <= LONGEST else {"size": len(text)}
    return source_of(request).act(principal_of(request).name, what, " ".join(map(str, request.path_params.values())), **details)
