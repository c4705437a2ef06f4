"""Who is calling: API keys of the configuration and of the store. Only their SHA-256 is ever compared."""

import asyncio
import hmac
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from domain.errors import Unauthenticated
from domain.model import Role
from gateway.settings import KeySettings
from journal import keys
from resolvers.context import Viewer

log = structlog.get_logger()

REFRESHED = 10.0  # seconds: how long a key that was revoked in the store may live on
NOTICED = 0.1  # seconds: wrong keys make the store be read again, and no more often than this
PATIENCE = 1.0  # seconds: how long callers wait for a store that does not answer
PREFIX = 8  # hex digits by which candidates are found; the rest is compared in constant time
NO_KEY = "pass an API key: Authorization: Bearer KEY"
WRONG_KEY = "this API key is not valid"


def authorization(headers: Mapping[str, str]) -> str | None:
    """Keys are hashed as UTF-8, while headers are decoded byte by byte."""
    found = headers.get("authorization")
    return None if found is None else found.encode("latin-1").decode("utf-8", errors="replace")


@dataclass(frozen=True, slots=True)
class Known:
    sha256: str
    viewer: Viewer


class Authenticator:
    """Raises SQLAlchemyError where the store cannot be read in the beginning. `clock` is monotonic, in seconds;
    `refreshed`: how long a key that was revoked in the store may live on."""

    def __init__(
        self,
        configured: Iterable[KeySettings],
        organizations: Sequence[str],
        store: Engine,
        *,
        clock: Callable[[], float] = time.monotonic,
        patience: float = PATIENCE,
        refreshed: float = REFRESHED,
    ) -> None:
        self._organizations = frozenset(organizations)
        self._store = store
        self._clock = clock
        self._refreshed = refreshed
        self._patience = patience
        self._configured = [self._known(key.sha256, key.name, key.role, key.organizations) for key in configured]
        self._flight: asyncio.Task[None] | None = None
        self._asked_at = clock()
        self._answers = True
        self._learn(keys.all_keys(store))

    async def viewer(self, authorization: str | None) -> Viewer:
        """The caller behind an Authorization header. Raises Unauthenticated."""
        scheme, _, key = (authorization or "").strip().partition(" ")
        if scheme.lower() != "bearer" or not key:
            raise Unauthenticated(NO_KEY)
        wanted = keys.digest(key.strip())
        await self._refresh(self._refreshed)
        found = self._find(wanted)
        if found is None:
            await self._refresh(NOTICED)
            found = self._find(wanted)
        if found is None:
            raise Unauthenticated(WRONG_KEY)
        return found

    def _find(self, wanted: str) -> Viewer | None:
        for known in self._by_prefix.get(wanted[:PREFIX], ()):
            if hmac.compare_digest(known.sha256, wanted):
                return known.viewer
        return None

    async def _refresh(self, age: float) -> None:
        """Reads the store's keys again where that was longer ago. Whoever comes meanwhile waits for the same answer,

        and nobody for long: while the store does not answer, the keys that are known go on being good."""
        if self._flight is None:
            if self._clock() - self._asked_at < age:
                return
            self._asked_at = self._clock()
            self._flight = asyncio.create_task(self._read())
            self._flight.add_done_callback(self._landed)
        left = self._asked_at + self._patience - self._clock()
        if left > 0:
            await asyncio.wait([self._flight], timeout=left)

    def _landed(self, _: asyncio.Task[None]) -> None:
        self._flight = None

    async def _read(self) -> None:
        try:
            self._learn(await asyncio.to_thread(keys.all_keys, self._store))
        except SQLAlchemyError as error:
            if self._answers:
                log.warning(
                    "the store's API keys cannot be read: those that are known stay", error=type(error).__name__
                )
            self._answers = False
        else:
            self._answers = True

    def _learn(self, stored: Iterable[keys.ApiKey]) -> None:
        good = [key for key in stored if key.revoked_at is None]
        known = [self._known(key.sha256, key.name, key.role, key.organizations) for key in good]
        self._by_prefix = _indexed([*self._configured, *known])

    def _known(self, sha256: str, name: str, role: Role, organizations: Iterable[str]) -> Known:
        named = frozenset(organizations)
        seen = self._organizations if "*" in named else named & self._organizations
        return Known(sha256, Viewer(name=name, role=role, organizations=seen))

    async def aclose(self) -> None:
        """Waits a moment for what is being read, so that the store can be closed."""
        if self._flight is not None:
            await asyncio.wait([self._flight], timeout=self._patience)


def _indexed(known: Iterable[Known]) -> dict[str, list[Known]]:
    found: dict[str, list[Known]] = {}
    for one in known:
        found.setdefault(one.sha256[:PREFIX], []).append(one)
    return found
