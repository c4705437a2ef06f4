"""What goes on beside the requests: the journal is followed and pruned, lists are fed into it, silence is noticed, and
what webhooks are told with is asked for."""

import asyncio
from collections.abc import Coroutine, Sequence
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError

from connectors.base import WarmsUp
from connectors.guard import Traffic
from connectors.http import asking
from domain.errors import VendorError
from domain.times import utc_now
from gateway.drifting import Drifting
from gateway.feeds import Feed
from gateway.settings import Settings
from gateway.settling import Settler
from journal.journal import Journal
from journal.leases import Leases
from journal.log import Entry
from resolvers.context import Graph
from resolvers.sources import Source

log = structlog.get_logger()

NOTICED_SECONDS = 5.0  # how soon silence shows; sooner where lists are read more often
PRUNED_SECONDS = 3600.0
SUMMED_SECONDS = 60.0  # how soon a day that has changed has its sums again
PREPARED_SECONDS = 60.0  # between looks whether anything is lacking


class Background:
    def __init__(self, graph: Graph, journal: Journal, leases: Leases, settings: Settings) -> None:
        self._graph = graph
        self._journal = journal
        self._retention = timedelta(days=settings.store.retention_days)
        self._leases = leases
        every = {account.key: account.feed.every_seconds for account in settings.accounts}
        self._noticed = min([NOTICED_SECONDS, *every.values()])
        self._feeds = [
            Feed(source, journal, leases, every_seconds=every[source.key]) for source in graph.sources.values()
        ]
        self._drifting = Drifting(journal.engine, [source.account for source in graph.sources.values()])
        self._settler = Settler(graph, seconds=settings.commands.settle_seconds)
        self._tasks: list[asyncio.Task[Any]] = []

    async def start(self) -> None:
        """Raises SQLAlchemyError where the store does not answer."""
        await self._journal.start()
        states, links = await asyncio.gather(self._journal.states(), self._journal.links())
        for source in self._graph.sources.values():
            own = {machine: state for (account, machine), state in states.items() if account == source.key}
            source.reported.begin(own, links.get(source.key, {}))
        await self._drifting.begin()
        self._journal.tail.listen(self._heard)
        self._journal.follow()
        work: list[Coroutine[Any, Any, None]] = [
            self._notice(),
            self._prune(),
            self._sum_up(),
            self._settler.run(),
            self._drifting.run(),
        ]
        work += [feed.run() for feed in self._feeds if feed.lists()]
        work += [_warm_up(source) for source in self._graph.sources.values() if source.hooked]
        self._tasks = [asyncio.create_task(one) for one in work]

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._drifting.keep()
        await self._journal.close()

    def _heard(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            source = self._graph.sources.get(entry.account)
            if source is not None:
                _report(source, entry)

    async def _notice(self) -> None:
        """An account is silent while what its lists told last is newer than its last webhook."""
        while True:
            try:
                missed, counts = await asyncio.gather(self._journal.missed(), self._journal.counts())
            except SQLAlchemyError as error:
                log.warning("silence is not looked for", kind=type(error).__name__)
            else:
                for source in self._graph.sources.values():
                    at, counted = missed.get(source.key), counts.get(source.key)
                    heard = None if counted is None else counted.last_received_at
                    source.silent = at is not None and (heard is None or heard < at)
            await asyncio.sleep(self._noticed)

    async def _prune(self) -> None:
        """One process at a time, and slowly: nobody waits for it."""
        while True:
            try:
                if await self._leases.hold("prune", PRUNED_SECONDS):
                    await self._journal.prune(utc_now() - self._retention)
            except SQLAlchemyError as error:
                log.warning("the journal was not pruned", kind=type(error).__name__)
            await asyncio.sleep(PRUNED_SECONDS)

    async def _sum_up(self) -> None:
        """One process at a time: reports are right without, and slower."""
        while True:
            try:
                while await self._leases.hold("days", SUMMED_SECONDS) and await self._journal.sum_up_days(utc_now()):
                    pass
            except SQLAlchemyError as error:
                log.warning("days of sales were not summed up", kind=type(error).__name__)
            await asyncio.sleep(SUMMED_SECONDS)


async def _warm_up(source: Source) -> None:
    """Nobody waits for it: until it is done, webhooks are told without."""
    asking.set(Traffic.FEED)
    while isinstance(source.connector, WarmsUp):
        try:
            await source.connector.warm_up()
        except VendorError as error:
            log.info("not warmed up", account=source.key, kind=type(error).__name__)
        except Exception:
            log.exception("not warmed up", account=source.key)
        await asyncio.sleep(PREPARED_SECONDS)


def _report(source: Source, entry: Entry) -> None:
    """Whatever is wrong with one entry must not keep the others from being heard."""
    try:
        source.report(entry)
    except Exception:
        log.exception("an entry was not shown", account=source.key, seq=entry.seq)
