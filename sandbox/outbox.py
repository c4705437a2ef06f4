"""Webhooks as the vendors send them: signed, again and again until they are taken, and on request lost or doubled."""

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import httpx2

SCHEDULE = (60.0, 300.0, 600.0, 1800.0, 7200.0, 18_000.0)  # seconds between tries, as SmartVend documents it
ANSWER_SECONDS = 10.0
KEPT = 10_000


@dataclass(frozen=True, slots=True)
class Parcel:
    """One webhook. `path` is what follows the configured address; `sign(body, now)` makes its headers."""

    path: str
    body: bytes
    sign: Callable[[bytes], Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Sent:
    """One try; `status` is None where no answer came."""

    path: str
    status: int | None
    attempt: int


@dataclass(slots=True)
class Outbox:
    """One vendor's. Nothing is sent while `address` is None. `speed` is how many times faster than the documents it
    tries again; `stops`: after so many tries in vain the vendor sends nothing more, until it is turned on again."""

    stops: bool = False
    address: str | None = None
    speed: float = 1.0
    lose: int = 0
    duplicate: int = 0
    reorder: bool = False
    stopped: bool = False
    sent: list[Sent] = field(default_factory=list)
    _waiting: "asyncio.Queue[Sequence[Parcel]]" = field(default_factory=asyncio.Queue)
    _loop: asyncio.AbstractEventLoop | None = None
    _tasks: "set[asyncio.Task[None]]" = field(default_factory=set)

    def post(self, *parcels: Parcel) -> None:
        """Hands over what happened, in order. From any thread."""
        if self.address is None or self.stopped or self._loop is None:
            return
        self._loop.call_soon_threadsafe(self._waiting.put_nowait, parcels)

    async def run(self) -> None:
        """Sends until it is cancelled."""
        self._loop = asyncio.get_running_loop()
        async with httpx2.AsyncClient(timeout=ANSWER_SECONDS, trust_env=False) as client:
            try:
                while True:
                    for parcel in self._disturbed(await self._waiting.get()):
                        if not await self._try(client, parcel, 0):
                            self._keep(self._retry(client, parcel))
            finally:
                for task in self._tasks:
                    task.cancel()
                await asyncio.gather(*self._tasks, return_exceptions=True)

    def _disturbed(self, parcels: Sequence[Parcel]) -> list[Parcel]:
        found: list[Parcel] = []
        for parcel in parcels:
            if self.lose > 0:
                self.lose -= 1
                continue
            found.append(parcel)
            if self.duplicate > 0:
                self.duplicate -= 1
                found.append(parcel)
        if self.reorder:
            random.shuffle(found)
        return found

    async def _retry(self, client: httpx2.AsyncClient, parcel: Parcel) -> None:
        for attempt, seconds in enumerate(SCHEDULE, start=1):
            await asyncio.sleep(seconds / self.speed)
            if await self._try(client, parcel, attempt):
                return
        self.stopped = self.stops

    async def _try(self, client: httpx2.AsyncClient, parcel: Parcel, attempt: int) -> bool:
        """Whether it was taken: exactly 200 counts."""
        status: int | None = None
        with suppress(httpx2.HTTPError):
            headers = {"content-type": "application/json", **parcel.sign(parcel.body)}
            answer = await client.post(f"{self.address}{parcel.path}", content=parcel.body, headers=headers)
            status = answer.status_code
        self.sent.append(Sent(parcel.path, status, attempt))
        del self.sent[:-KEPT]
        return status == 200

    def _keep(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
