"""How vendors' answers differ from what they are taken to be: kept in the store every few seconds."""

import asyncio
from collections.abc import Iterable

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from connectors.base import Account
from journal import drifts

log = structlog.get_logger()

KEPT_SECONDS = 10.0


class Drifting:
    def __init__(self, engine: Engine, accounts: Iterable[Account], seconds: float = KEPT_SECONDS) -> None:
        self._engine = engine
        self._accounts = list(accounts)
        self._seconds = seconds

    async def begin(self) -> None:
        """What was met before is no news. Raises SQLAlchemyError."""
        for account in self._accounts:
            account.drifts.begin(await asyncio.to_thread(drifts.kept, self._engine, account.key))

    async def run(self) -> None:
        while True:
            await asyncio.sleep(self._seconds)
            await self.keep()

    async def keep(self) -> None:
        """What cannot be kept now is kept later."""
        for account in self._accounts:
            untold = account.drifts.untold
            if untold:
                try:
                    await asyncio.to_thread(drifts.keep, self._engine, account.key, untold)
                except SQLAlchemyError as error:
                    log.warning("drift is not kept", account=account.key, kind=type(error).__name__)
                else:
                    account.drifts.told(untold)
