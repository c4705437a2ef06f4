"""Sales on their way out of the gateway as one long text, and how far that has come."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from domain.live import Message
from domain.paging import SourceStatus


class ExportFormat(Enum):
    NDJSON = "NDJSON"
    CSV = "CSV"


class ExportState(Enum):
    WAITING = "WAITING"
    RUNNING = "RUNNING"
    DONE = "DONE"
    BROKEN = "BROKEN"


@dataclass(frozen=True, slots=True, kw_only=True)
class SalesExport:
    """`path`: on the gateway that was asked, with the filter and the id in it."""

    id: str
    format: ExportFormat
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportProgress(Message):
    """Nothing of the journal, so that its cursor is empty. `known`: at least so many sales come in all; `total`:
    exactly so many. `complete` is None before the end."""

    id: str
    state: ExportState
    sales: int = 0
    rows: int = 0
    known: int | None = None
    total: int | None = None
    complete: bool | None = None
    sources: Sequence[SourceStatus] = ()

    @property
    def done(self) -> bool:
        return self.state in (ExportState.DONE, ExportState.BROKEN)
