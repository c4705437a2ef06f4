"""What becomes of commands by themselves: those that nobody is at are given up, those that heard no final word are
UNKNOWN, and those that are UNKNOWN are settled by evidence, or wait for a person. Evidence against what a
person told is an event."""

import asyncio
import time
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from sqlalchemy.exc import SQLAlchemyError

from connectors.acting import ReadsBack, SellsOnOrder
from connectors.guard import Traffic
from connectors.http import asking
from domain.commands import CommandStatus, Progress
from domain.errors import ErrorCode, VendgraphError
from domain.facts import Origin
from domain.people_orders import UNIQUE
from domain.refs import Ref
from domain.times import utc_now
from domain.upkeep import LASTING
from journal import commands, evidence
from journal.intents import Kept
from journal.writer import JournalUnavailable
from resolvers.context import Graph
from resolvers.dispatcher import late
from resolvers.sending import NOT_SENT
from resolvers.sources import STOCKING, Source

log = structlog.get_logger()

LOOKED = 1.0  # seconds
LOOKED_FOR = timedelta(days=7)  # a sale may be told that late
READ_BACK = (1.0, 5.0, 20.0, 60.0, 300.0, 1800.0)  # seconds after it was sent at which the vendor is read
PROVEN_NOT = 60.0  # seconds after which what the vendor does not show was not carried out
READ = "read back at the vendor"
NOT_SHOWN = "read back at the vendor, which does not show it"


def _ends(status: CommandStatus, why: str, code: ErrorCode) -> Progress:
    return Progress(status=status, note=why, error=why, code=code)


NO_WORD = _ends(CommandStatus.UNKNOWN, "no final word came in time", ErrorCode.VENDOR_UNAVAILABLE)
NOBODY = _ends(CommandStatus.UNKNOWN, "the process that sent it ended before an answer was here", ErrorCode.INTERNAL)
NOT_ASKED = _ends(CommandStatus.FAILED, f"{NOT_SENT}the process that was to send it ended", ErrorCode.INTERNAL)
NOT_DONE = _ends(CommandStatus.FAILED, NOT_SHOWN, ErrorCode.VENDOR_UNAVAILABLE)


class Settler:
    """In each process: all it does is safe beside another that does the same."""

    def __init__(
        self,
        graph: Graph,
        *,
        seconds: float,
        clock: Callable[[], float] = time.time,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._graph = graph
        self._journal = graph.journal
        self._quiet = timedelta(seconds=seconds)
        self._clock = clock
        self._now = now
        self._readings: dict[str, int] = {}

    async def run(self) -> None:
        asking.set(Traffic.COMMAND)
        while True:
            await asyncio.sleep(LOOKED)
            try:
                await self.look()
            except (SQLAlchemyError, JournalUnavailable) as error:
                log.warning("commands are not settled", kind=type(error).__name__)
            except Exception:
                log.exception("commands are not settled")

    async def look(self) -> None:
        """Once at all of them. Raises SQLAlchemyError or JournalUnavailable where the store fails."""
        engine = self._journal.engine
        for asked in await asyncio.to_thread(commands.overdue, engine, self._clock()):
            await self._give_up(asked)
        waiting = await asyncio.to_thread(commands.unknown, engine, self._now() - LOOKED_FOR)
        self._readings = {one.command.id: self._readings.get(one.command.id, 0) for one in waiting}
        doubtful = await asyncio.to_thread(commands.doubtful, engine, self._clock())
        await asyncio.gather(*map(self._settle, waiting), *map(self._doubt, doubtful))

    async def _give_up(self, asked: Kept) -> None:
        """What somebody has sent may have arrived. What nobody has sent is sent if it is asked for once more: whoever
        was to send it may have told that it was not taken on."""
        status, at = asked.command.status, self._now()
        if status is not CommandStatus.PENDING:
            progress = NOBODY if status is CommandStatus.SENT else NO_WORD
        elif late(asked, at):
            progress = NOT_ASKED
        else:
            return
        await self._journal.change(lambda ledger: ledger.give_up(asked, progress, at))

    async def _settle(self, asked: Kept) -> None:
        source = self._graph.sources.get(asked.account)
        if source is None or asked.order is None:
            return
        connector = source.connector
        if isinstance(connector, SellsOnOrder):
            await self._by_sales(asked, connector.shows)
        if isinstance(connector, ReadsBack) and asked.sent_at is not None:
            await self._by_reading(asked, source, connector)

    async def _by_sales(self, asked: Kept, fits: evidence.Fits) -> None:
        """Looked at without the journal first: mostly there is nothing."""
        if await asyncio.to_thread(self._look_for_sale, asked, fits):
            native, at = asked.command.ref.native, self._now()
            await self._journal.change(lambda ledger: ledger.prove(native, fits, at))

    async def _doubt(self, asked: Kept) -> None:
        source = self._graph.sources.get(asked.account)
        connector = None if source is None else source.connector
        if isinstance(connector, SellsOnOrder) and await asyncio.to_thread(self._look_for_sale, asked, connector.shows):
            native, fits, at = asked.command.ref.native, connector.shows, self._now()
            await self._journal.change(lambda ledger: ledger.doubt(native, fits, at))

    def _look_for_sale(self, asked: Kept, fits: evidence.Fits) -> bool:
        with self._journal.engine.connect() as connection:
            found = evidence.candidates(connection, asked, fits)
        return len(found) == 1 and found[0].received_at + self._quiet <= self._now()

    async def _by_reading(self, asked: Kept, source: Source, connector: ReadsBack) -> None:
        """At the times of READ_BACK; a vendor that fails is asked the next time."""
        assert asked.order is not None
        assert asked.sent_at is not None
        read, since = self._readings[asked.command.id], (self._now() - asked.sent_at).total_seconds()
        if read >= len(READ_BACK) or since < READ_BACK[read]:
            return
        self._readings[asked.command.id] = next((at for at, due in enumerate(READ_BACK) if due > since), len(READ_BACK))
        try:
            fulfilled = await connector.fulfilled(asked.order)
        except VendgraphError as error:
            log.info("a command was not read back", account=source.key, code=error.code.value)
            return
        if fulfilled:
            made = fulfilled if isinstance(fulfilled, Ref) else None
            await self._progress(asked, Progress(status=CommandStatus.SUCCEEDED, note=READ, subject=made))
        elif fulfilled is False and since >= PROVEN_NOT and not await self._replaced(asked):
            await self._progress(asked, NOT_DONE)

    async def _replaced(self, asked: Kept) -> bool:
        """Whether it may have been carried out, and then replaced by another change of ours."""
        kind = asked.command.kind
        if kind in UNIQUE or kind in LASTING:
            return False
        kinds = STOCKING if kind in STOCKING else {kind}
        return await asyncio.to_thread(commands.followed, self._journal.engine, asked, kinds)

    async def _progress(self, asked: Kept, progress: Progress) -> None:
        """As long as nobody has taken it on since."""
        native, at = asked.command.ref.native, self._now()
        await self._journal.change(
            lambda ledger: ledger.settle(native, progress, at, attempt=asked.attempt, origin=Origin.GATEWAY)
        )
