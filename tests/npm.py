"""Clients that front ends take from npm, as they are, driven by Node."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.running import ADMIN
from tests.scripts import Script, needs, script

CLIENTS = Path(__file__).parent / "clients"
NEEDS_NODE = needs(CLIENTS)


class Client(Script):
    """One operation with a client of npm's."""

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


async def run(name: str, asked: dict[str, Any]) -> list[Any]:
    """All that a script tells, which ends by itself."""
    async with script("node", name, folder=CLIENTS, asked=asked) as running:
        return [json.loads(line) for line in await running.rest()]


@asynccontextmanager
async def client(
    transport: str, base: str, query: str, after: str | None = None, *, key: str = ADMIN, attempts: int = 1000
) -> AsyncIterator[Client]:
    """Killed at the end, wherever it is. `attempts`: how often it connects again."""
    asked = {"url": f"{base}/graphql", "key": key, "query": query, "after": after, "attempts": attempts}
    async with script("node", "follow.mjs", transport, folder=CLIENTS, asked=asked) as running:
        yield Client(running.process)
