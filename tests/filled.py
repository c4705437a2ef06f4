"""Gateways whose journal has all that the vendors list, and those of which it has only a part."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine

from connectors.reading import ReadsSales
from domain.facts import FactKind, Origin, identity_of, recorded
from domain.times import EPOCH, Span
from gateway.app import connected
from gateway.settings import load
from journal import days, log, reports
from journal.appending import Report
from journal.reports import Watermark
from journal.store import open_store
from tests.connected import over
from tests.journals import writer
from tests.running import Elapsed, Gateway, Sandbox, config_text, running_gateway

SPRING = datetime(datetime.now(UTC).year - (datetime.now(UTC).month < 5), 4, 20, 15, tzinfo=UTC)  # clocks have changed
FROM, TO = SPRING - timedelta(days=46), SPRING + timedelta(days=1)
CLOCK = Elapsed()  # of the vendors, whose budgets these tests are not about


async def _all_sales(sandbox: Sandbox, path: Path, folder: Path) -> None:
    """All sales that the vendors list, into the journal."""
    settings, client = load(path), over(sandbox.app)
    engine = open_store(f"sqlite:///{folder}/vendgraph.db")
    now = datetime.now(UTC)
    with writer(engine) as into:
        for connector in connected(settings, client).values():
            if isinstance(connector, ReadsSales):
                found = await connector.sales(Span(FROM, TO), 10**6, None)
                facts = [recorded(identity_of(sale.ref), sale) for sale in found.items]
                key = connector.account.key
                await into.append(Report(account=key, facts=facts, origin=Origin.POLL, received_at=now))
                reports.set_watermark(engine, key, FactKind.SALE, Watermark(since=EPOCH, at=now))
            await connector.aclose()
    await client.aclose()
    days.sum_up(engine, now)
    engine.dispose()


@contextmanager
def filled_gateway(sandbox: Sandbox, folder: Path) -> Iterator[Gateway]:
    """Its journal has everything."""
    path = folder / "filling.toml"
    path.write_text(config_text(sandbox, folder), encoding="utf-8")
    CLOCK.seconds += 3600.0
    asyncio.run(_all_sales(sandbox, path, folder))
    CLOCK.seconds += 3600.0
    with running_gateway(sandbox, folder) as gateway:
        yield gateway


def cover(engine: Engine, since: datetime, until: datetime) -> None:
    """As though the feeds had begun then, and come so far."""
    with engine.begin() as connection:
        times = (log.moment(since), log.moment(until))
        connection.exec_driver_sql("UPDATE watermarks SET since = ?, at = ? WHERE kind = 'sale'", times)
