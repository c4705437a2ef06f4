"""Who is calling: API keys of the configuration and of the store. Only their SHA-256 is ever compared."""

import asyncio
import hmac
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from domain.errors import Unauthenticated
from domain.model import Role
from gateway.settings import KeySettings
from journal import keys
from resolvers.context import Viewer

REFRESHED = 10.0  # seconds: how long a key that was revoked in the store may live on
NOTICED = 1.0  # seconds: how soon after a key was made it is good; wrong keys read the store no more often
PREFIX = 8  # hex digits by which candidates are found; the rest is compared in constant time
NO_KEY = "pass an API key: Authorization: Bearer KEY"
WRONG_KEY = "this API key is not valid"


@dataclass(frozen=True, slots=True)
class Known:
    sha256: str
    viewer: Viewer


class Authenticator:
    def __init__(self, configured: Iterable[KeySettings], organizations: Sequence[str], store: Engine) -> None:
        self._organizations = frozenset(organizations)
        self._store = store
        self._configured = [self._known(key.sha256, key.name, key.role, key.organizations) for key in configured]
        self._by_prefix = _indexed(self._configured)
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()

    async def viewer(self, authorization: str | None) -> Viewer:
        """The caller behind an Authorization header. Raises Unauthenticated."""
        if authorization is None:
            raise Unauthenticated(NO_KEY)
        scheme, _, key = authorization.partition(" ")
        if scheme.lower() != "bearer" or not key:
            raise Unauthenticated(NO_KEY)
        wanted = keys.digest(key.strip())
        await self._refresh(REFRESHED)
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
        """Reads the store's keys again. Where it does not answer, those that are known go on being good."""
        if time.monotonic() - self._read_at < age:
            return
        async with self._reading:
            if time.monotonic() - self._read_at < age:
                return
            try:
                stored = await asyncio.to_thread(keys.all_keys, self._store)
            except SQLAlchemyError:
                stored = None
            self._read_at = time.monotonic()
            if stored is not None:
                good = [key for key in stored if key.revoked_at is None]
                known = [self._known(key.sha256, key.name, key.role, key.organizations) for key in good]
                self._by_prefix = _indexed([*self._configured, *known])

    def _known(self, sha256: str, name: str, role: Role, organizations: Iterable[str]) -> Known:
        named = frozenset(organizations)
        seen = self._organizations if "*" in named else named & self._organizations
        return Known(sha256, Viewer(name=name, role=role, organizations=seen))


def _indexed(known: Iterable[Known]) -> dict[str, list[Known]]:
    found: dict[str, list[Known]] = {}
    for one in known:
        found.setdefault(one.sha256[:PREFIX], []).append(one)
    return found
