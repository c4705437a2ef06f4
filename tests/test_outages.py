"""What a gateway stands on is taken away and brought back: it says so, goes on with what it can, and loses nothing."""

import asyncio
import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url

from journal import log
from journal.store import open_store
from tests.gateways import Flood, Served, config, counted, serving, without_repeats
from tests.journals import identities
from tests.proxy import wire
from tests.redises import own_redis
from tests.running import Gateway, Sandbox
from tests.telling import smartvend, smartvend_sale

SALES = "{ sales(first: 3) { nodes { vendorId } sources { state } } }"
SMALL = 16 * 1024 * 1024  # bytes: more than what SQLite lets its log grow to, so that what is freed suffices


def kept(url: str) -> set[str]:
    store = open_store(url)
    found = identities(log.after(store, 0, 1_000_000).entries)
    store.dispose()
    return without_repeats(found)


async def ask(gateway: Gateway, query: str = SALES) -> Any:
    return await asyncio.to_thread(gateway.ask, query)


def answers(count: int, status: int | None = None) -> Callable[[Flood], bool]:
    """So many from now on, of any status or of one."""
    return lambda flood: sum(status in (None, one) for one in flood.statuses) >= count


async def settled(flood: Flood) -> None:
    """The vendor tries again until all of it is taken."""
    for _ in range(100):
        await flood.again()
        if not flood.doubtful:
            return
        await asyncio.sleep(0.1)
    pytest.fail("it was not taken")


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    folder.mkdir()
    command = [shutil.which("mount") or "mount", "-t", "tmpfs", "-o", f"size={SMALL}", "tmpfs", str(folder)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  fixed words
    if mounted.returncode != 0:
        pytest.skip(f"no small disk can be mounted: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run([shutil.which("umount") or "umount", "-l", str(folder)], check=True)  # noqa: S603  fixed words


def fill(folder: Path) -> Path:
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (4096, 1):
            while True:
                try:
                    file.write(b"\0" * size)
                except OSError:
                    break
    return filler


async def test_a_full_disk_is_told_and_queries_go_on(sandbox: Sandbox, tmp_path: Path) -> None:
    with (
        small_disk(tmp_path / "disk") as disk,
        serving(tmp_path / "it", config(f"sqlite:///{disk}/it.db", vendor=sandbox.base)) as served,
    ):
        flood = await _taken(served)
        filler = await asyncio.to_thread(fill, disk)
        await flood.run(answers(20, 503))
        await _goes_on(served, flood)
        filler.unlink()
        await settled(flood)
        assert kept(f"sqlite:///{disk}/it.db") == flood.taken
        assert (await asyncio.to_thread(counted, served.gateway))["accepted"] == len(flood.taken)
        assert served.process.stop() == 0


async def test_files_that_may_not_grow_are_as_a_full_disk(sandbox: Sandbox, tmp_path: Path) -> None:
    """Its log is such a file as well."""
    url = f"sqlite:///{tmp_path}/it.db"
    with serving(tmp_path / "it", config(url, vendor=sandbox.base)) as served:
        flood = await _taken(served)
        pid = served.process.process.pid
        soft, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, hard))
        await flood.run(answers(20, 503))
        await _goes_on(served, flood)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft, hard))
        await settled(flood)
        assert kept(url) == flood.taken
        assert served.process.stop() == 0


async def _taken(served: Served) -> Flood:
    flood = Flood(served.gateway.base)
    await flood.run(answers(50))
    assert set(flood.statuses) == {200}
    return flood


async def _goes_on(served: Served, flood: Flood) -> None:
    """Nothing but 200 and 503 is answered, and what was recorded is shown."""
    assert set(flood.statuses) == {200, 503}
    shown = {node["vendorId"] for node in (await ask(served.gateway))["sales"]["nodes"]}
    assert len(shown) == 3
    assert shown <= flood.taken


async def test_connections_that_postgresql_ends_are_replaced(
    postgresql: str, postgresql_server: Callable[[str], None], tmp_path: Path
) -> None:
    name = make_url(postgresql).database
    ends = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"  # noqa: S608  of our own
    with serving(tmp_path / "it", config(postgresql)) as served:
        flood = await _taken(served)
        for _ in range(3):
            running = asyncio.create_task(flood.run(answers(len(flood.statuses) + 60)))
            await asyncio.to_thread(postgresql_server, ends)
            await running
        assert set(flood.statuses) <= {200, 503}
        await settled(flood)
        assert kept(postgresql) == flood.taken
        assert (await asyncio.to_thread(counted, served.gateway))["rejected"] == 0


async def test_postgresql_out_of_reach_and_back(sandbox: Sandbox, postgresql: str, tmp_path: Path) -> None:
    url = make_url(postgresql)
    async with wire(url.host or "127.0.0.1", url.port or 5432) as cable:
        reached = url.set(host="127.0.0.1", port=cable.port).render_as_string(hide_password=False)
        started = ExitStack()
        text = config(reached, vendor=sandbox.base)
        # Off the event loop, which carries what it says to its store.
        served = await asyncio.to_thread(started.enter_context, serving(tmp_path / "it", text))
        with started:
            flood = await _taken(served)
            shown = (await ask(served.gateway))["sales"]["nodes"]
            assert {node["vendorId"] for node in shown} <= flood.taken
            await cable.cut()
            await flood.run(answers(10, 503))
            assert set(flood.statuses) == {200, 503}
            assert (await ask(served.gateway))["sales"]["nodes"] == shown
            await cable.mend()
            await settled(flood)
            assert kept(postgresql) == flood.taken


def test_redis_away_and_back_costs_latency_and_nothing_else(sandbox: Sandbox, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/it.db"
    sales = []
    with (
        own_redis(tmp_path) as redis,
        serving(tmp_path / "it", config(url, bus=redis.url, vendor=sandbox.base)) as served,
    ):
        for stops, starts in ((False, False), (True, False), (False, True)):
            if stops:
                redis.stop()
            if starts:
                redis.start()
            sales.append(smartvend_sale())
            assert smartvend(served.gateway.base, sales[-1]).status_code == 200
            shown = {node["vendorId"] for node in served.gateway.ask(SALES)["sales"]["nodes"]}
            assert sales[-1]["saleId"] in shown
        served.process.wait_for("the bus is back")
        told = [line["event"] for line in served.process.told()]
        assert told.count("the bus is lost") == 1
        assert served.process.stop() == 0
    assert kept(url) == {sale["saleId"] for sale in sales}
