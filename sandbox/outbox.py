"""Webhooks as the vendors send them: signed, again and again until they are taken, and on request lost or doubled."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from random import Random

import httpx2

from sandbox.pace import Pace

SCHEDULE = (60.0, 300.0, 600.0, 1800.0, 7200.0, 18_000.0)  # seconds before each further try, as SmartVend documents it
PLAUSIBLE = (10.0, 60.0, 300.0, 1800.0, 7200.0)  # of vendors that document none
ANSWER_SECONDS = 10.0
KEPT = 10_000

Sign = Callable[[bytes], Mapping[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One webhook, of what `kind` and `id` say. It goes to `url`, or else to `path` under the account's address."""

    kind: str
    id: str
    body: bytes
    path: str = ""
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """One try, the first is 0. `status` is None where no answer came; `at` in UNIX seconds."""

    kind: str
    id: str
    attempt: int
    status: int | None
    at: float


def unsigned(_: bytes) -> Mapping[str, str]:
    return {}


class Outbox:
    """One vendor's. `address`: of the gateway, None for nowhere; `account`: the account's key there.

    `lose` and `duplicate`: how many of the next are lost, and sent twice. `reorder`: what waits at the same time goes
    out in any order. `stops`: when all tries of a webhook were in vain the vendor sends nothing more, whatever happens,
    until it is turned on again."""

    def __init__(
        self,
        account: str,
        rng: Random,
        *,
        sign: Sign = unsigned,
        schedule: Sequence[float] = PLAUSIBLE,
        stops: bool = False,
        pace: Pace | None = None,
    ) -> None:
        self.account = account
        self.address: str | None = None
        self.lose = 0
        self.duplicate = 0
        self.reorder = False
        self.stopped = False
        self.waiting = 0  # neither taken nor given up
        self.lost = 0
        self.sent: deque[Sent] = deque(maxlen=KEPT)
        self.pace = pace or Pace()
        self._random = rng
        self._sign = sign
        self._schedule = schedule
        self._stops = stops
        self._queue: asyncio.Queue[Letter] = asyncio.Queue()
        self._retries: set[asyncio.Task[None]] = set()

    def post(self, letter: Letter) -> None:
        """Hands over what happened. From any thread."""
        if self.pace.loop is not None:
            self.pace.loop.call_soon_threadsafe(self._take, letter)

    def _take(self, letter: Letter) -> None:
        if not self.stopped and self.url(letter) is not None:
            self.waiting += 1
            self._queue.put_nowait(letter)

    def url(self, letter: Letter) -> str | None:
        """Where it goes; None for nowhere."""
        return letter.url or (self.address and f"{self.address}/webhooks/{self.account}{letter.path}")

    def turn(self, *, on: bool) -> None:
        """What waits while it is turned off is never sent."""
        self.stopped = not on
        if on:
            return
        while not self._queue.empty():
            self._queue.get_nowait()
            self.waiting -= 1
        for task in self._retries - {asyncio.current_task()}:
            task.cancel()

    async def run(self) -> None:
        """Sends until it is cancelled. First tries go out one after another, and never wait for later ones."""
        async with httpx2.AsyncClient(timeout=ANSWER_SECONDS, trust_env=False) as client:
            while True:
                for letter in self._disturbed(await self._next()):
                    if self.stopped or await self._try(client, letter, 0):
                        self.waiting -= 1
                    elif (task := self.pace.start(self._again(client, letter))) is not None:
                        self._retries.add(task)
                        task.add_done_callback(self._settle)

    def _settle(self, retries: "asyncio.Task[None]") -> None:
        self._retries.discard(retries)
        self.waiting -= 1

    async def _next(self) -> list[Letter]:
        found = [await self._queue.get()]
        while self.reorder and not self._queue.empty():
            found.append(self._queue.get_nowait())
        return found

    def _disturbed(self, letters: Sequence[Letter]) -> list[Letter]:
        found = [sent for letter in letters for sent in self._times(letter)]
        self.waiting += len(found) - len(letters)
        if self.reorder:
            self._random.shuffle(found)
        return found

    def _times(self, letter: Letter) -> Iterator[Letter]:
        """Once, unless it is to be lost or doubled."""
        if self.lose > 0:
            self.lose -= 1
            self.lost += 1
            return
        yield letter
        if self.duplicate > 0:
            self.duplicate -= 1
            yield letter

    async def _again(self, client: httpx2.AsyncClient, letter: Letter) -> None:
        for attempt, seconds in enumerate(self._schedule, start=1):
            await self.pace.sleep(seconds)
            if await self._try(client, letter, attempt):
                return
        if self._stops:
            self.turn(on=False)

    async def _try(self, client: httpx2.AsyncClient, letter: Letter, attempt: int) -> bool:
        """Whether that was all: exactly 200 counts, or nobody to be told any more."""
        url = self.url(letter)
        if url is None:
            return True
        status: int | None = None
        headers = {"content-type": "application/json", **self._sign(letter.body)}
        with suppress(httpx2.HTTPError):
            status = (await client.post(url, content=letter.body, headers=headers)).status_code
        self.sent.append(Sent(letter.kind, letter.id, attempt, status, time.time()))
        return status == 200
