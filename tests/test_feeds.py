"""Feeds over the sandbox's vendors: what their lists tell is in the journal once, whatever came between."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from connectors.base import Secret, WebhookCredentials
from connectors.registry import CONNECT
from domain.facts import FactKind, Origin, identity_of, recorded
from domain.model import Vendor
from domain.sales import Sale
from domain.times import Span
from gateway import background
from gateway.app import create_app
from gateway.feeds import Feed
from gateway.settings import load
from journal import log, reports
from journal.journal import Journal
from journal.leases import StoreLeases, acquire
from journal.reports import Watermark
from journal.store import open_store
from resolvers.sources import CacheTimes, Source
from sandbox.app import create_app as create_sandbox
from sandbox.faults import Fault
from sandbox.livello import Livello
from sandbox.server import start
from sandbox.smartvend import SmartVend
from sandbox.smartvend_hooks import WEBHOOK_PUBLIC_KEY
from sandbox.world import World
from tests.connected import account_of, over
from tests.gateways import fed
from tests.journals import identities, journal, report, until
from tests.running import Gateway, Sandbox
from tests.telling import smartvend, smartvend_sale

START = datetime(2026, 3, 4, 12, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


@dataclass(slots=True)
class Story:
    """A vendor whose clock the test turns, a journal, and the feed between them."""

    vendor: Any
    app: Any
    journal: Journal
    source: Source
    feed: Feed
    now: datetime

    def pass_(self, time: timedelta) -> None:
        self.now += time

    def sell(self, count: int = 1) -> list[str]:
        return [str(sale["saleId" if "saleId" in sale else "id"]) for sale in self.vendor.make_sales(count)]

    def fail(self) -> None:
        """Its list of sales, for one reading and its tries."""
        operation = "sales" if isinstance(self.vendor, SmartVend) else "transactions"
        self.app.state.controls.faults[:] = [Fault(self.vendor.name, "status", operation, times=3)]

    @property
    def told(self) -> list[tuple[str, Origin]]:
        """Of the sales since the beginning: the vendor has a history, too."""
        found = log.after(self.journal.engine, 0, 10_000).entries
        entries = [one for one in found if isinstance(one.content, Sale) and one.content.recorded_at > START]
        return list(zip(identities(entries), [one.origin for one in entries], strict=True))

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.told]

    async def deliver(self, *names: str) -> None:
        """By webhook."""
        found = await self.source.connector.sales(Span(START - HOUR, self.now + HOUR), 1000, None)  # type: ignore[attr-defined]
        facts = [recorded(identity_of(sale.ref), sale) for sale in found.items if identity_of(sale.ref) in names]
        assert len(facts) == len(names)
        await self.journal.append(report(*facts, account=self.source.key, at=self.now))


@asynccontextmanager
async def story(engine: Engine, make: type[SmartVend] | type[Livello], *, hooked: bool = False) -> AsyncIterator[Story]:
    times = [START]
    vendor = make(World(start=START, scale=0.05, days=1, now=lambda: found.now if told else times[0]))
    told: list[Story] = []
    app = create_sandbox(vendors=[vendor])
    client = over(app)
    webhook = WebhookCredentials(keys=[Secret(WEBHOOK_PUBLIC_KEY)]) if hooked else None
    account = account_of(vendor, webhook=webhook)
    connector = CONNECT[Vendor(vendor.name)](account, client)
    async with journal(engine, follows=False) as kept:
        source = Source(connector, CacheTimes(), kept)
        feed = Feed(
            source, kept, StoreLeases(engine, "me"), every_seconds=1, now=lambda: found.now if told else times[0]
        )
        found = Story(vendor, app, kept, source, feed, START)
        told.append(found)
        found.pass_(10 * MINUTE)
        yield found
        await source.aclose()
    await client.aclose()


@pytest.fixture
def engine(tmp_path: Path) -> Any:
    found = open_store(f"sqlite:///{tmp_path}/store.db")
    yield found
    found.dispose()


@pytest.fixture(params=[SmartVend, Livello])
def polled(request: pytest.FixtureRequest, engine: Engine) -> AbstractAsyncContextManager[Story]:
    return story(engine, request.param)


async def test_lists_are_read_once_each_oldest_first(polled: AbstractAsyncContextManager[Story]) -> None:
    async with polled as it:
        sold = []
        for _ in range(3):
            sold += it.sell()
            it.pass_(MINUTE)
        await it.feed.read()
        assert it.told == [(name, Origin.POLL) for name in sold]
        await it.feed.read()
        sold += it.sell(2)
        it.pass_(MINUTE)
        await it.feed.read()
        assert sorted(it.names) == sorted(sold)


async def test_what_is_recorded_late_is_found(polled: AbstractAsyncContextManager[Story]) -> None:
    async with polled as it:
        sold = it.sell()
        await it.feed.read()
        it.pass_(-4 * MINUTE)
        sold += it.sell()
        it.pass_(4 * MINUTE)
        await it.feed.read()
        assert it.names == sold


async def test_a_backlog_of_days_is_read_whole(polled: AbstractAsyncContextManager[Story]) -> None:
    async with polled as it:
        await it.feed.read()
        sold = []
        for _ in range(15):
            it.pass_(2 * HOUR)
            sold += it.sell()
        await it.feed.read()
        assert it.names == sold


async def test_what_is_sold_while_the_vendor_fails_is_found(polled: AbstractAsyncContextManager[Story]) -> None:
    """Also where it fails from the very start."""
    async with polled as it:
        it.fail()
        sold = it.sell()
        await it.feed.read()
        it.pass_(3 * HOUR)
        sold += it.sell()
        it.fail()
        await it.feed.read()
        assert it.names == []
        it.app.state.controls.faults.clear()
        await it.feed.read()
        assert it.names == sold


async def test_a_backlog_goes_on_where_it_stopped(engine: Engine) -> None:
    async with story(engine, SmartVend) as it:
        await it.feed.read()
        sold = []
        for _ in range(4):
            it.pass_(5 * HOUR)
            sold += it.sell()
        acquire(engine, it.feed._lease, "another", 1000)
        await it.feed.read()
        assert it.names == sold[:1]  # it noticed after a part that another is at it
        mark = reports.watermark(engine, it.source.key, FactKind.SALE)
        assert mark is not None
        assert START < mark.at < it.now - 10 * HOUR
        with engine.begin() as connection:
            connection.exec_driver_sql("DELETE FROM leases")
        await it.feed.read()
        assert it.names == sold


async def test_two_that_read_at_once_do_no_harm(engine: Engine) -> None:
    """A process that was stopped for longer than its lease goes on where it was."""
    async with story(engine, SmartVend) as it:
        sold = it.sell(3)
        other = Feed(it.source, it.journal, StoreLeases(engine, "other"), every_seconds=1, now=lambda: it.now - MINUTE)
        other._begun = START
        await it.feed.read()
        await other.read()
        it.pass_(MINUTE)
        sold += it.sell()
        await it.feed.read()
        assert sorted(it.names) == sorted(sold)


async def test_a_clock_that_was_ahead_hides_nothing(engine: Engine) -> None:
    async with story(engine, SmartVend) as it:
        reports.set_watermark(engine, it.source.key, FactKind.SALE, Watermark(since=it.now + HOUR, at=it.now + HOUR))
        sold = it.sell()
        await it.feed.read()
        assert it.names == sold


async def test_what_a_webhook_should_have_told_is_filled_in_at_the_second_reading(engine: Engine) -> None:
    async with story(engine, SmartVend, hooked=True) as it:
        lost, told = it.sell(2)
        await it.feed.read()
        assert it.told == []
        await it.deliver(told)
        await it.feed.read()
        assert it.told == [(told, Origin.WEBHOOK), (lost, Origin.BACKFILL)]
        assert set(reports.missed(engine)) == {it.source.key}
        await it.deliver(lost)  # after all
        assert len(it.told) == 2


async def test_nothing_is_missed_where_webhooks_come(engine: Engine) -> None:
    async with story(engine, SmartVend, hooked=True) as it:
        await it.deliver(*it.sell(3))
        await it.feed.read()
        await it.feed.read()
        assert {origin for _, origin in it.told} == {Origin.WEBHOOK}
        assert reports.missed(engine) == {}


async def test_a_backlog_behind_webhooks_is_filled_in_though_it_is_read_once(engine: Engine) -> None:
    """The gateway was away for a day, and the vendor has stopped trying."""
    async with story(engine, SmartVend, hooked=True) as it:
        await it.feed.read()
        sold = []
        for _ in range(8):
            it.pass_(3 * HOUR)
            sold += it.sell()
        await it.feed.read()
        await it.feed.read()
        assert it.told == [(name, Origin.BACKFILL) for name in sold]


async def test_events_are_fed_as_sales_are(engine: Engine) -> None:
    async with story(engine, SmartVend) as it:
        assert [one.kind for one in it.feed.lists()] == [FactKind.SALE, FactKind.EVENT]
        it.feed._begun = START - 20 * HOUR
        await it.feed.read()
        found = log.after(engine, 0, 10_000).entries
        wanted = [
            event for event in it.vendor.truth()["events"] if event["createdAt"] >= (START - 20 * HOUR).timestamp()
        ]
        assert len([one for one in found if one.kind is FactKind.EVENT]) == len(wanted) > 0


async def test_a_list_that_breaks_us_does_not_end_the_feed(engine: Engine) -> None:
    async with story(engine, SmartVend) as it:
        sold = it.sell()
        rows = it.vendor._fleet.sales
        rows[-1]["createdAt"], kept = 10**30, rows[-1]["createdAt"]
        await it.feed.read()
        rows[-1]["createdAt"] = kept
        await it.feed.read()
        assert it.names == sold


STATUS = "{ accounts { key status webhook { accepted } } }"


def _status(gateway: Gateway) -> str:
    return str(gateway.ask(STATUS)["accounts"][0]["status"])


async def test_silence_shows_until_a_webhook_comes_again(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "NOTICED_SECONDS", 0.05)
    path = tmp_path / "vendgraph.toml"
    path.write_text(fed(sandbox, f"sqlite:///{tmp_path}/store.db", "smartvend", every=0.1), encoding="utf-8")
    with start(create_app(load(path))) as server:
        gateway = Gateway(server.base)
        await until(lambda: _status(gateway) == "OK")
        (lost,) = sandbox.sell("smartvend")
        await until(lambda: _status(gateway) == "DEGRADED")
        shown = gateway.ask("{ sales(first: 1) { nodes { vendorId } } }")["sales"]["nodes"]
        assert shown == [{"vendorId": lost["saleId"]}]
        assert smartvend(gateway.base, smartvend_sale()).status_code == 200
        await until(lambda: _status(gateway) == "OK")
