"""The clients that front ends take from npm, as they are, driven by Node."""

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.following import Shop, subscribed
from tests.proxy import wire
from tests.running import ADMIN, Gateway
from tests.stores import MUST

CLIENTS = Path(__file__).parent / "clients"
NODE = shutil.which("node")
MISSING = "there is no node, or `npm ci` was not run in tests/clients"
SALES = "subscription Sales($after: String) { sales(after: $after) { cursor sale { vendorId } gap { message } } }"
WAIT_SECONDS = 20.0
TRANSPORTS = ("graphql-ws", "graphql-sse")
BOTH = pytest.mark.parametrize("transport", TRANSPORTS)

pytestmark = pytest.mark.skipif(not MUST and (NODE is None or not (CLIENTS / "node_modules").is_dir()), reason=MISSING)


class Client:
    """One operation with a client of npm's."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def hear(self) -> Any:
        assert self._process.stdout is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), WAIT_SECONDS)
        assert line, "it ended"
        return json.loads(line)

    async def sales(self, count: int) -> tuple[list[str], str]:
        """The vendor's ids of the next ones, and the last cursor. When it connects again does not matter."""
        found: list[str] = []
        cursor = ""
        while len(found) < count:
            told = await self.hear()
            if told != {"connected": True}:
                message = told["next"]["data"]["sales"]
                found.append(message["sale"]["vendorId"])
                cursor = message["cursor"]
        return found, cursor


@asynccontextmanager
async def client(
    transport: str, base: str, query: str, after: str | None = None, *, key: str = ADMIN, attempts: int = 1000
) -> AsyncIterator[Client]:
    """Killed at the end, wherever it is. `attempts`: how often it connects again."""
    assert NODE is not None, MISSING
    process = await asyncio.create_subprocess_exec(
        NODE,
        "follow.mjs",
        transport,
        cwd=CLIENTS,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={"PATH": os.environ["PATH"]},
    )
    assert process.stdin is not None
    asked = {"url": f"{base}/graphql", "key": key, "query": query, "after": after, "attempts": attempts}
    process.stdin.write(json.dumps(asked).encode())
    process.stdin.close()
    try:
        yield Client(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@BOTH
async def test_a_client_that_is_cut_off_goes_on_with_its_cursor_over_the_other_transport(
    gateway: Gateway, transport: str
) -> None:
    async with Shop(gateway) as shop:
        async with client(transport, gateway.base, SALES) as following:
            await subscribed(gateway)
            sold = await shop.sell(3)
            heard, cursor = await following.sales(3)
        await subscribed(gateway, 0)
        sold += await shop.sell(2)
        (other,) = set(TRANSPORTS) - {transport}
        async with client(other, gateway.base, SALES, cursor) as following:
            heard += (await following.sales(2))[0]
            sold += await shop.sell(1)
            heard += (await following.sales(1))[0]
    assert heard == sold
    await subscribed(gateway, 0)


@BOTH
async def test_a_client_goes_on_by_itself_after_a_break(gateway: Gateway, transport: str) -> None:
    async with (
        wire("127.0.0.1", int(gateway.base.rpartition(":")[2])) as line,
        Shop(gateway) as shop,
        client(transport, f"http://127.0.0.1:{line.port}", SALES) as following,
    ):
        await subscribed(gateway)
        sold = await shop.sell(2)
        heard, _ = await following.sales(2)
        for _ in range(3):
            await line.cut()
            await subscribed(gateway, 0)
            sold += await shop.sell(2)
            await line.mend()
            heard += (await following.sales(2))[0]
        await subscribed(gateway)
        sold += await shop.sell(2)
        heard += (await following.sales(2))[0]
    assert heard == sold
    await subscribed(gateway, 0)


@BOTH
async def test_a_query_is_answered_once(gateway: Gateway, transport: str) -> None:
    async with client(transport, gateway.base, "{ viewer { name } }") as asking:
        told = [await asking.hear() for _ in range(3)]
    viewer = {"viewer": {"name": ADMIN.removeprefix("vg_")}}
    assert told == [{"connected": True}, {"next": {"data": viewer}}, {"complete": True}]


@BOTH
async def test_what_is_wrong_is_told(gateway: Gateway, transport: str) -> None:
    async with client(transport, gateway.base, "{ nothing }") as asking:
        assert await asking.hear() == {"connected": True}
        told = await asking.hear()
    (error,) = told["error"] if transport == "graphql-ws" else told["next"]["errors"]
    assert error["extensions"]["code"] == "BAD_INPUT"


@BOTH
async def test_without_a_good_key_a_client_is_told_why(gateway: Gateway, transport: str) -> None:
    async with client(transport, gateway.base, SALES, key="wrong", attempts=0) as asking:
        assert await asking.hear() == {"error": 4403 if transport == "graphql-ws" else 401}
