"""A circuit breaker: after failures in a row an account is left alone for a moment, then one request tries again."""

from collections.abc import Callable
from enum import Enum

IN_A_ROW = 5
FIRST_SECONDS = 4.0
LONGEST_SECONDS = 12.0
REFUSED_SECONDS = 20.0  # after refused credentials: no more than three logins a minute
PROBE_SECONDS = 1.0  # how soon to come again while another finds out, and the shortest time that it is left alone


class Reason(Enum):
    FAILING = "failing"
    LIMITED = "limited"
    UNAUTHORIZED = "unauthorized"


class Breaker:
    """While it is open only the probe's outcome counts: the others were sent before, and tell of the past."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failures = 0
        self._seconds = FIRST_SECONDS
        self._opened_until: float | None = None
        self._probing = False
        self.reason = Reason.FAILING  # of the last failure; of no meaning where nothing fails

    @property
    def open(self) -> bool:
        """Open or half open: not known to be well again."""
        return self._opened_until is not None

    @property
    def failing(self) -> bool:
        return self._failures > 0

    def refusal(self) -> float | None:
        """Seconds to stay away; None where a request may go. Where it goes as the probe, `admit` says so."""
        if self._opened_until is None:
            return None
        left = self._opened_until - self._clock()
        if left > 0:
            return left
        return PROBE_SECONDS if self._probing else None

    def admit(self) -> bool:
        """Whether the request that goes now is the probe."""
        self._probing = self.open
        return self._probing

    def release(self, *, probe: bool) -> None:
        """A request ended without a verdict: it was cancelled, or only its token was refused."""
        if probe:
            self._probing = False

    def succeed(self, *, probe: bool) -> None:
        if self.open and not probe:
            return
        self._failures = 0
        self._seconds = FIRST_SECONDS
        self._opened_until = None
        self._probing = False

    def fail(self, *, probe: bool, reason: Reason = Reason.FAILING, seconds: float | None = None) -> None:
        """`seconds`: when the vendor said to come back, which is then when the next probe goes."""
        if self.open and not probe:
            return
        self._failures += 1
        self.reason = reason
        if not probe and self._failures < IN_A_ROW:
            return
        if seconds is not None:
            self._open(reason, max(seconds, PROBE_SECONDS))
            return
        self._open(reason, self._seconds)
        self._seconds = min(LONGEST_SECONDS, self._seconds * 2)

    def refuse_credentials(self) -> None:
        """Many requests may have been under way with the same credentials: the first refusal of them counts."""
        if self._opened_until is not None and self._clock() < self._opened_until:
            return
        self._failures += 1
        self._open(Reason.UNAUTHORIZED, REFUSED_SECONDS)

    def _open(self, reason: Reason, seconds: float) -> None:
        self.reason = reason
        self._opened_until = self._clock() + seconds
        self._probing = False
