"""Below every connector alike: the account's budget, its concurrency, its breaker, and how it fares."""

import asyncio
import random as chance
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from types import TracebackType

from connectors.breaker import Breaker, Reason
from connectors.budget import Budget, Rate, Traffic
from connectors.places import Places
from connectors.shared import Shared
from connectors.upstream import Latency, UpstreamRequest
from domain.errors import VendorError, VendorRateLimited, VendorUnauthorized, VendorUnavailable
from domain.model import AccountStatus, RateLimit
from domain.times import utc_now

__all__ = ["Guard", "Limits", "Passage", "Rate", "Traffic"]

PAUSE_WITHOUT_WORD = 1.0  # seconds: after a 429 that does not say how long
RETRY_SHARE = 0.1  # retries may add a tenth to what is sent anyway
RETRIES_AT_START = 3.0
RETRIES_AT_MOST = 10.0
LEFT_ALONE: Mapping[Reason, tuple[type[VendorError], str]] = {
    Reason.FAILING: (VendorUnavailable, "failed several times"),
    Reason.LIMITED: (VendorRateLimited, "had too many requests"),
    Reason.UNAUTHORIZED: (VendorUnauthorized, "refused the credentials"),
}
OPEN = {
    Reason.FAILING: AccountStatus.UNAVAILABLE,
    Reason.LIMITED: AccountStatus.RATE_LIMITED,
    Reason.UNAUTHORIZED: AccountStatus.UNAUTHORIZED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The configuration's. None: as the vendor documents. `reserve`: the share kept for commands."""

    requests: int | None = None
    per_seconds: float | None = None
    concurrency: int | None = None
    timeout_seconds: float = 5.0
    reserve: float = 0.1


@dataclass(slots=True)
class Passage:
    """One admitted request. `probe`: it finds out whether the vendor is well again."""

    probe: bool
    judged: bool = False


class Admission:
    __slots__ = ("_guard", "_passage", "_traffic")

    def __init__(self, guard: "Guard", traffic: Traffic) -> None:
        self._guard = guard
        self._traffic = traffic

    async def __aenter__(self) -> Passage:
        self._passage = await self._guard.enter(self._traffic)
        return self._passage

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._guard.leave(self._passage)


class Guard:
    """`rates` are the documented ones; the configuration's replace them. `clock` is monotonic, in seconds.

    `shared`: what other gateways spend of the same account, None for a gateway that is alone."""

    def __init__(
        self,
        *,
        account: str,
        vendor: str,
        limits: Limits,
        rates: Sequence[Rate] = (),
        concurrency: int = 64,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = utc_now,
        random: Callable[[], float] = chance.random,
        shared: Shared | None = None,
    ) -> None:
        if limits.requests is not None and limits.per_seconds is not None:
            rates = [Rate(requests=limits.requests, per_seconds=limits.per_seconds)]
        self.account = account
        self.vendor = vendor
        self.timeout = limits.timeout_seconds
        self.clock = clock
        self.now = now
        self.random = random
        self.shared = shared
        self.outcomes: Counter[str] = Counter()
        self.latency = Latency()
        self.listeners: list[Callable[[UpstreamRequest], None]] = []  # of each request, once it is over
        self.last_success_at: datetime | None = None
        self.last_error: str | None = None
        self._answered = False
        self._rates = tuple(rates)
        self._budget = Budget(rates, limits.reserve, clock)
        self._breaker = Breaker(clock)
        self._places = Places(limits.concurrency or concurrency)
        self._retries = RETRIES_AT_START

    def admit(self, traffic: Traffic) -> "Admission":
        """A place for one request, as soon as there is one. Raises VendorError where there will be none in time.

        The caller's deadline bounds the waiting for a place; a budget that frees too late is refused at once."""
        return Admission(self, traffic)

    async def enter(self, traffic: Traffic) -> Passage:
        """As `admit`, for who leaves whatever happens."""
        if not self._enters_at_once(traffic):
            await self._enter(traffic)
        passage = Passage(probe=self._breaker.admit())
        self._budget.take()
        return passage

    def leave(self, passage: Passage) -> None:
        self._places.leave()
        if not passage.judged:
            self._breaker.release(probe=passage.probe)

    def _enters_at_once(self, traffic: Traffic) -> bool:
        """Most do: a place is free, the budget has room, and no other gateway has to be asked."""
        if self.shared is not None or self._breaker.refusal() is not None or self._budget.wait(traffic):
            return False
        return self._places.take_free()

    def wait(self, traffic: Traffic) -> float:
        """Seconds until such a request might go, by what this gateway knows; 0 is now."""
        return self._budget.wait(traffic)

    async def _enter(self, traffic: Traffic) -> None:
        """Nobody keeps a place while waiting for the budget: one who may go at once would wait behind."""
        patience = self.clock() + self.timeout / 2
        while True:
            self.check()
            await self._wait_for_budget(traffic, patience)
            await self._places.take(traffic)
            try:
                wait = await self._wait_with_a_place(traffic)
            except BaseException:
                self._places.leave()
                raise
            if wait == 0:
                return
            self._places.leave()
            if wait is not None:
                await self._sleep(wait, patience)

    async def _wait_with_a_place(self, traffic: Traffic) -> float | None:
        """0 where the request may go, seconds where other gateways have spent the budget, None to look once more."""
        if self._breaker.refusal() is not None or self._budget.wait(traffic):
            return None
        if self.shared is None:
            return 0.0
        return await self.shared.take("requests", self._rates, self._budget.kept(traffic))

    async def _wait_for_budget(self, traffic: Traffic, patience: float) -> None:
        while wait := self._budget.wait(traffic):
            await self._sleep(wait, patience)

    async def _sleep(self, wait: float, patience: float) -> None:
        if self.clock() + wait > patience:
            self.outcomes["out_of_budget"] += 1
            raise self._out_of_budget(wait)
        await asyncio.sleep(wait)

    def _out_of_budget(self, wait: float) -> VendorError:
        spent = f"the request budget for {self.vendor} is spent, less what is kept for more urgent requests"
        return VendorRateLimited(
            f"{self.vendor} asked us to wait" if self._budget.pause_left >= wait else spent,
            account=self.account,
            vendor=self.vendor,
            retry_after=float(ceil(wait)),
            sent=False,
        )

    def check(self) -> None:
        """Raises VendorError while the account is left alone."""
        wait = self._breaker.refusal()
        if wait is None:
            return
        kind, why = LEFT_ALONE[self._breaker.reason]
        raise kind(
            f"{self.vendor} {why} and is left alone for a moment",
            account=self.account,
            vendor=self.vendor,
            retry_after=max(wait, self._budget.pause_left),
            sent=False,
        )

    def earn_retry(self) -> None:
        """For each request that is not a retry itself."""
        self._retries = min(RETRIES_AT_MOST, self._retries + RETRY_SHARE)

    def may_retry(self) -> bool:
        if self._retries < 1 or self._breaker.open:
            return False
        self._retries -= 1
        return True

    def succeed(self, passage: Passage) -> None:
        self._judged(passage, "ok")
        self.last_success_at = self.now()
        self._breaker.succeed(probe=passage.probe)

    def refuse(self, passage: Passage, error: VendorError) -> None:
        """The vendor is well, and said no. A refused token says neither: another may be had."""
        self._judged(passage, error.code.value.lower())
        self.last_error = error.message
        if type(error) is VendorUnauthorized:
            self._breaker.release(probe=passage.probe)
        else:
            self._breaker.succeed(probe=passage.probe)

    def fail(self, passage: Passage, error: VendorError) -> None:
        self._judged(passage, error.code.value.lower())
        self.last_error = error.message
        reason = Reason.LIMITED if isinstance(error, VendorRateLimited) else Reason.FAILING
        self._breaker.fail(probe=passage.probe, reason=reason, seconds=error.retry_after)

    def hear(self, request: UpstreamRequest) -> None:
        """It is over, however it went."""
        self.latency.add(request.seconds)
        for listener in self.listeners:
            listener(request)

    def _judged(self, passage: Passage, outcome: str) -> None:
        passage.judged = True
        self._answered = True
        self.outcomes[outcome] += 1

    def refuse_credentials(self, error: VendorError) -> None:
        """The account is left alone for a while, so that its credentials are not tried again and again."""
        self.last_error = error.message
        self._breaker.refuse_credentials()

    def pause(self, seconds: float | None) -> None:
        """The vendor said to wait; without a word for how long it is a moment."""
        wait = PAUSE_WITHOUT_WORD if seconds is None else seconds
        self._budget.pause(wait)
        if self.shared is not None:
            self.shared.pause(wait)

    def tell_budget(self, limit: int | None, left: int, seconds: float | None) -> None:
        self._budget.tell(limit, left, seconds)

    @property
    def requests(self) -> int:
        """How many were sent, logins and retries among them."""
        return self.outcomes.total() - self.outcomes["out_of_budget"]

    @property
    def errors(self) -> int:
        return self.requests - self.outcomes["ok"]

    @property
    def left_alone(self) -> Reason | None:
        """Why, where the breaker is open."""
        return self._breaker.reason if self._breaker.open else None

    @property
    def status(self) -> AccountStatus:
        if self._breaker.open:
            return OPEN[self._breaker.reason]
        # A login that had too many requests pauses logins only, and still nothing comes from the vendor.
        limited = self._breaker.failing and self._breaker.reason is Reason.LIMITED
        if limited or self._budget.wait(Traffic.QUERY) > 1 or self._budget.pause_left:
            return AccountStatus.RATE_LIMITED
        if self._breaker.failing:
            return AccountStatus.DEGRADED
        return AccountStatus.OK if self._answered else AccountStatus.UNKNOWN

    @property
    def rate_limit(self) -> RateLimit | None:
        tightest = self._budget.tightest()
        if tightest is None:
            return None
        limit, left, seconds = tightest
        return RateLimit(limit=limit, remaining=left, resets_at=self.now() + timedelta(seconds=seconds))
