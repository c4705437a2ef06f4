"""Clients that front ends take from npm, as they are, driven by Node."""

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.running import ADMIN
from tests.stores import MUST

CLIENTS = Path(__file__).parent / "clients"
NODE = shutil.which("node")
MISSING = "there is no node, or `npm ci` was not run in tests/clients"
NEEDS_NODE = pytest.mark.skipif(not MUST and (NODE is None or not (CLIENTS / "node_modules").is_dir()), reason=MISSING)
WAIT_SECONDS = 20.0


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


async def run(script: str, asked: dict[str, Any]) -> list[Any]:
    """All that a script tells, which ends by itself."""
    assert NODE is not None, MISSING
    process = await asyncio.create_subprocess_exec(
        NODE,
        script,
        cwd=CLIENTS,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={"PATH": os.environ["PATH"]},
    )
    try:
        told, _ = await asyncio.wait_for(process.communicate(json.dumps(asked).encode()), WAIT_SECONDS)
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 0
    return [json.loads(line) for line in told.splitlines()]


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
