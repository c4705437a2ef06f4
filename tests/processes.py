"""The program as an operator runs it: processes of their own, with what they print."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
PROGRAM = (sys.executable, "-c", "from gateway.cli import main; main()")
STARTING_SECONDS = 30.0


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """As it is here, with terminals that leave lines as they are."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "200", **(more or {})}


def vendgraph(*arguments: object, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Runs it to its end."""
    return subprocess.run(  # noqa: S603  our own program
        [*PROGRAM, *map(str, arguments)], capture_output=True, text=True, timeout=60, env=environment(env), check=False
    )


@dataclass(slots=True)
class Process:
    """A running one; `out` and `err` are files of what it has printed so far."""

    process: "subprocess.Popen[bytes]"
    out: Path
    err: Path

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Its exit code."""
        self.process.send_signal(how)
        return self.process.wait(timeout=30)

    def printed(self) -> str:
        return self.out.read_text(encoding="utf-8") + self.err.read_text(encoding="utf-8")

    def told(self) -> list[dict[str, Any]]:
        """Its log. Whatever stands there and is no JSON object fails the test."""
        return [json.loads(line) for line in self.err.read_text(encoding="utf-8").splitlines()]

    def wait_for(self, words: str) -> str:
        """What was printed, once the words are there."""
        ends = time.monotonic() + STARTING_SECONDS
        while words not in (found := self.printed()):
            assert self.process.poll() is None, f"it ended: {found}"
            assert time.monotonic() < ends, f"{words!r} did not come: {found}"
            time.sleep(0.02)
        return found


@contextmanager
def running(folder: Path, *arguments: object, env: Mapping[str, str] | None = None) -> Iterator[Process]:
    """Killed at the end, where it is still there."""
    name = str(arguments[0])
    out, err = folder / f"{name}.out", folder / f"{name}.err"
    with out.open("wb") as stdout, err.open("wb") as stderr:
        process = subprocess.Popen(  # noqa: S603  our own program
            [*PROGRAM, *map(str, arguments)], stdout=stdout, stderr=stderr, env=environment(env)
        )
    try:
        yield Process(process, out, err)
    finally:
        process.kill()
        process.wait()
