"""Parts of lists, and what a list says about its sources."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Generic, TypeVar

from domain.errors import ErrorCode
from domain.refs import Ref

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Slice(Generic[T]):
    """Everything that was recorded from `since` on, up to the end of the span that was asked for.

    `since` is the beginning of that span where all of it was read, and later where the source stopped early.
    The items are in no promised order. `complete` is false where some that there are could not be read."""

    items: Sequence[T]
    since: datetime
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Listing(Generic[T]):
    """A whole list of an account; `complete` is false where the vendor could not tell all of it.

    `growing`: more of it is being read, so that it is not worth keeping."""

    items: Sequence[T]
    complete: bool = True
    growing: bool = False


class SourceState(Enum):
    FRESH = "FRESH"
    STALE = "STALE"
    FAILED = "FAILED"
    UNSUPPORTED = "UNSUPPORTED"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceError:
    code: ErrorCode
    message: str
    retry_after_seconds: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceStatus:
    """How an account contributed to a page. `complete`: nothing of this account is missing from it."""

    account_ref: Ref
    state: SourceState
    complete: bool
    as_of: datetime | None
    error: SourceError | None


@dataclass(frozen=True, slots=True)
class Edge(Generic[T]):
    """Its cursor is written when it is asked for: most callers ask for nodes alone."""

    node: T
    write: Callable[[], str]

    @property
    def cursor(self) -> str:
        return self.write()


@dataclass(frozen=True, slots=True, kw_only=True)
class PageInfo:
    """`began` writes the cursor that the page began at, None for a first page: one without edges ends there."""

    has_next_page: bool
    edges: Sequence[Edge[Any]]
    began: Callable[[], str] | None

    @property
    def has_previous_page(self) -> bool:
        return self.began is not None

    @property
    def start_cursor(self) -> str | None:
        return self.edges[0].cursor if self.edges else None

    @property
    def end_cursor(self) -> str | None:
        if self.edges:
            return self.edges[-1].cursor
        return None if self.began is None else self.began()


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection(Generic[T]):
    """One page of a list in Relay's shape. `total_count` is None where counting would cost requests."""

    edges: Sequence[Edge[T]]
    nodes: Sequence[T]
    page_info: PageInfo
    sources: Sequence[SourceStatus]
    total_count: int | None = None
