"""Programs that use the gateway, not in Python or not in this one: started, read line by line, killed at the end."""

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.stores import MUST

ROOT = Path(__file__).parent.parent
NODE = shutil.which("node")
WAIT_SECONDS = 60.0


def needs(*folders: Path) -> pytest.MarkDecorator:
    """Skips where npm did not install these, but for CI, where the test fails then."""
    there = NODE is not None and all((folder / "node_modules").is_dir() for folder in folders)
    names = ", ".join(str(folder.relative_to(ROOT)) for folder in folders)
    return pytest.mark.skipif(not MUST and not there, reason=f"there is no node, or `npm ci` was not run in {names}")


class Script:
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def line(self) -> str:
        """The next line that it prints; empty at its end."""
        assert self.process.stdout is not None
        return (await asyncio.wait_for(self.process.stdout.readline(), WAIT_SECONDS)).decode().removesuffix("\n")

    async def hear(self) -> Any:
        """The next one, which is JSON."""
        line = await self.line()
        assert line, "it ended"
        return json.loads(line)

    async def rest(self) -> list[str]:
        """The lines to its end, which has to be a good one."""
        lines = []
        while line := await self.line():
            lines.append(line)
        assert await self.code() == 0
        return lines

    async def code(self) -> int:
        """With which it ends."""
        return await asyncio.wait_for(self.process.wait(), WAIT_SECONDS)


@asynccontextmanager
async def script(
    *command: str | Path, folder: Path, asked: Any = None, env: Mapping[str, str] | None = None
) -> AsyncIterator[Script]:
    """`asked` goes to its standard input as JSON."""
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **(env or {})},
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(asked).encode())
    process.stdin.close()
    try:
        yield Script(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
