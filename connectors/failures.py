"""What went wrong with a vendor's answer, as one of our errors: never an address, a header or a credential."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import isfinite
from typing import Any, Protocol, TypedDict

import httpx2

from connectors.unchanged import Known
from domain.errors import (
    VendorConflict,
    VendorError,
    VendorForbidden,
    VendorProtocolError,
    VendorRateLimited,
    VendorRejected,
    VendorUnauthorized,
    VendorUnavailable,
)

LONGEST_WORDS = 200
SHORTEST_SECRET = 4  # characters: a shorter one would be found in any sentence
LONGEST_WAIT = 300.0  # seconds: a vendor may say to come back in a year
NOTHING_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.UnsupportedProtocol)
BROKEN = (httpx2.RemoteProtocolError, httpx2.DecodingError)
LASTING = (httpx2.UnsupportedProtocol, httpx2.LocalProtocolError, httpx2.ReadTimeout, httpx2.WriteTimeout)


class Headers(Protocol):
    """Of an answer, by names in small letters."""

    def get(self, name: str, /) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Answer:
    """`told`: what its body tells; `known`: of one that told the same before, word for word."""

    status: int
    headers: Headers
    data: Any
    told: bytes
    known: Known | None


class Whose(TypedDict):
    account: str
    vendor: str


class Failures:
    """The failures of one account. `explain(data)` finds the vendor's own words in an error's body.

    `secrets()`: what must not stand in them, whatever the vendor says."""

    def __init__(
        self,
        account: str,
        vendor: str,
        timeout: float,
        explain: Callable[[Any], str | None],
        unauthorized: Callable[[int, Any], bool],
        secrets: Callable[[], Iterable[str]],
        conflict: Callable[[int, Any], str | None],
    ) -> None:
        self._whose: Whose = {"account": account, "vendor": vendor}
        self._vendor = vendor
        self._timeout = timeout
        self._explain = explain
        self._unauthorized = unauthorized
        self._secrets = secrets
        self._conflict = conflict

    def answered(
        self, operation: str, answer: Answer, now: datetime, *, private: bool = False, reads: bool = True
    ) -> VendorError:
        """For an answer that is no success. `private`: without the vendor's words; nothing stands against a reading."""
        status = answer.status
        conflict = None if reads else self._conflict(status, answer.data)
        words = f": {conflict}" if conflict else "" if private else self._words(answer.data)
        what = f"{self._vendor} answered {operation} with {status}{words}"
        if self._unauthorized(status, answer.data) or status == 401:
            return VendorUnauthorized(what, **self._whose)
        if status == 403:
            return VendorForbidden(what, **self._whose)
        wait = retry_after(answer.headers, now)
        if status == 429:
            return VendorRateLimited(what, **self._whose, retry_after=wait, sent=False, transient=wait is not None)
        if status == 408 or status >= 500:
            transient = status in (500, 502, 503, 504)
            return VendorUnavailable(what, **self._whose, retry_after=wait, transient=transient)
        if status < 400:
            return VendorProtocolError(f"{what}: redirects are not followed", **self._whose)
        return self._refused(what, status, conflict)

    def _refused(self, what: str, status: int, conflict: str | None) -> VendorRejected:
        if conflict is not None:
            return VendorConflict(what, **self._whose)
        rejected = VendorRejected(what, **self._whose)
        rejected.missing = status == 404
        return rejected

    def _words(self, data: Any) -> str:
        words = None if data is None else self._explain(data)
        return f": {self.repeated(words)}" if words else ""

    def repeated(self, words: str) -> str:
        """The vendor's words, fit to be shown: some vendors say which key it is that they refuse."""
        for secret in self._secrets():
            if len(secret) >= SHORTEST_SECRET:
                words = words.replace(secret, "***")
        return words[:LONGEST_WORDS]

    def transport(self, operation: str, error: httpx2.HTTPError) -> VendorError:
        what = f"{operation} at {self._vendor} failed: {type(error).__name__}"
        if isinstance(error, BROKEN):
            return VendorProtocolError(what, **self._whose, transient=True)
        sent, transient = not isinstance(error, NOTHING_SENT), not isinstance(error, LASTING)
        return VendorUnavailable(what, **self._whose, sent=sent, transient=transient)

    def unreadable(self, operation: str, why: str) -> VendorError:
        return VendorProtocolError(f"{self._vendor}'s answer to {operation} {why}", **self._whose)

    def late(self, operation: str, *, sent: bool) -> VendorError:
        what = f"{self._vendor} took longer than {self._timeout:g} s for {operation}"
        return VendorUnavailable(what, **self._whose, sent=sent)

    def impossible(self, operation: str, why: str) -> VendorError:
        """For a request that cannot be meant: there can be nothing under such an id."""
        rejected = VendorRejected(f"{operation} at {self._vendor}: {why}", **self._whose, sent=False)
        rejected.missing = True
        return rejected


def number(text: str | None) -> float | None:
    """A header's number; None where it is absent, negative or no number."""
    try:
        found = float(text) if text is not None else -1.0
    except ValueError:
        return None
    return found if isfinite(found) and found >= 0 else None


def retry_after(headers: Headers, now: datetime) -> float | None:
    """Seconds to wait, at most `LONGEST_WAIT`; None where the header is absent, unreadable or of the past.

    A date is measured against the answer's own Date, so that clocks that disagree do no harm."""
    text = headers.get("retry-after")
    seconds = number(text)
    if text is not None and seconds is None:
        until = _moment(text)
        seconds = None if until is None else (until - (_moment(headers.get("date")) or now)).total_seconds()
    return min(seconds, LONGEST_WAIT) if seconds is not None and seconds >= 0 else None


def _moment(text: str | None) -> datetime | None:
    try:
        found = None if text is None else parsedate_to_datetime(text)
    except (ValueError, OverflowError, IndexError, TypeError):
        return None
    return None if found is None else found.replace(tzinfo=found.tzinfo or UTC)
