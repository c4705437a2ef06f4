"""The exports of this process: how many there may be at once, and how far each has come.

Those that have ended are known for a while, so that who follows hears how they ended."""

import asyncio
import secrets
from collections.abc import Sequence
from itertools import count
from typing import TYPE_CHECKING

from cachetools import TTLCache

from domain.errors import Conflict, RateLimited
from domain.exports import ExportProgress, ExportState
from domain.facts import Origin
from domain.paging import SourceStatus

if TYPE_CHECKING:
    from resolvers.context import Viewer

PER_KEY = 2
AT_ONCE = 16
KEPT = 1_024
KEPT_SECONDS = 3_600.0


class Export:
    """One under way, or that was. `version` differs each time that something has changed, and only grows."""

    def __init__(self, id_: str, versions: "count[int]") -> None:
        self._id = id_
        self._known: int | None = None
        self._total: int | None = None
        self._versions = versions
        self._changed = asyncio.Event()
        self._sources: Sequence[SourceStatus] = ()
        self._sales = self._rows = 0
        self._state = ExportState.RUNNING
        self.version = next(versions)

    @property
    def over(self) -> bool:
        return self._state is not ExportState.RUNNING

    @property
    def sales(self) -> int:
        return self._sales

    def expect(self, known: int | None, total: int | None) -> None:
        """How many sales there will be at least, and in all."""
        self._known, self._total = known, total
        self._change()

    def tell(self, *, sales: int, rows: int, sources: Sequence[SourceStatus]) -> None:
        self._sales += sales
        self._rows += rows
        self._sources = sources
        self._change()

    def end(self, state: ExportState) -> None:
        self._state = state
        self._change()

    def _change(self) -> None:
        self.version = next(self._versions)
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def changed_since(self, version: int) -> None:
        while self.version <= version and not self.over:
            await self._changed.wait()

    def progress(self) -> ExportProgress:
        done = self._state is ExportState.DONE
        return ExportProgress(
            seq=self.version,
            cursor="",
            origin=Origin.GATEWAY,
            id=self._id,
            state=self._state,
            sales=self._sales,
            rows=self._rows,
            known=self._known,
            total=self._total,
            complete=all(source.complete for source in self._sources) if done else False if self.over else None,
            sources=self._sources,
        )


class Exporting:
    """An id is its viewer's own: another's is like none."""

    def __init__(self) -> None:
        self._running: dict[tuple[Viewer, str], Export] = {}
        self._ended: TTLCache[tuple[Viewer, str], Export] = TTLCache(KEPT, KEPT_SECONDS)
        self._versions = count(1)
        self._begun = asyncio.Event()

    def begin(self, viewer: "Viewer", id_: str) -> Export:
        """Raises RateLimited, or Conflict where it is under way."""
        if (viewer, id_) in self._running:
            raise Conflict("this export is under way: leave `id` out for another one")
        own = sum(one.name == viewer.name for one, _ in self._running)
        if own >= PER_KEY or len(self._running) >= AT_ONCE:
            raise RateLimited(f"a key may have {PER_KEY} exports under way at once, and a gateway {AT_ONCE}")
        found = self._running[viewer, id_] = Export(id_, self._versions)
        begun, self._begun = self._begun, asyncio.Event()
        begun.set()
        return found

    def end(self, viewer: "Viewer", id_: str, state: ExportState) -> None:
        found = self._running.pop((viewer, id_))
        found.end(state)
        self._ended[viewer, id_] = found

    def find(self, viewer: "Viewer", id_: str) -> Export | None:
        return self._running.get((viewer, id_)) or self._ended.get((viewer, id_))

    async def awaited(self, viewer: "Viewer", id_: str, seconds: float) -> Export | None:
        """As soon as it has begun; None where it has not by then."""
        try:
            async with asyncio.timeout(seconds):
                while (found := self.find(viewer, id_)) is None:
                    await self._begun.wait()
        except TimeoutError:
            return None
        return found


def new_id() -> str:
    return secrets.token_urlsafe(16)
