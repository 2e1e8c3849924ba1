"""Looks in the cache ahead of a run: the run that answers one call most often answers the next ones, so one statement asks for them all."""

from lineal.metadata_store.base import MetadataStore
from lineal.model.records import CachedCall

_FIRST, _MOST = 8, 256  # calls that are asked for beside the one that is wanted


class Ahead:
    """What the cache knows, for one run. What was found ahead counts until `forget`, so it is never old.

    Args:
        metadata: Where facts live.
    """

    def __init__(self, metadata: MetadataStore) -> None:
        self._metadata = metadata
        self._found: dict[str, CachedCall] = {}
        self._ahead = _FIRST
        self._used = 0

    def __contains__(self, key: str) -> bool:
        return key in self._found

    def find(self, key: str) -> CachedCall | None:
        """Give the newest step run that answers a key; None when there is none."""
        found = self._found.get(key)
        if found is None:
            self.forget()
            self._found = self._metadata.find_cached(key, self._ahead)
            found = self._found.get(key)
        else:
            self._used += 1
        return found

    def forget(self) -> None:
        """Drop what was found ahead: a step is about to run, or time goes by. How much of it was used says how far to look next time."""
        beside = len(self._found) - 1  # one is the call that was asked for
        if beside > 0:
            self._ahead = min(self._ahead * 2, _MOST) if self._used * 2 >= beside else max(self._ahead // 4, 1)
        self._used = 0
        self._found = {}
