"""Which core a process runs on, and what it used: of Linux only."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.machine import cpu_seconds

SERVERS, OTHERS = 0, 1  # cores: whatever is measured has one of its own
APART = hasattr(os, "sched_setaffinity") and (os.cpu_count() or 1) > 1


@contextmanager
def on(core: int) -> Iterator[None]:
    """What is started here runs on that core, and so does whatever that starts."""
    if not APART:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def family(pid: int) -> list[int]:
    """A process and all that it started."""
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text(encoding="utf-8").rpartition(")")[2].split()[1])
        except OSError:  # it has ended
            continue
        parents.setdefault(parent, []).append(int(stat.parent.name))
    found = [pid]
    for one in found:
        found += parents.get(one, ())
    return found


def cpu(pid: int) -> float:
    """Seconds, of the process and all that it started."""
    return sum(cpu_seconds(one) or 0.0 for one in family(pid))


def megabytes(pid: int) -> float:
    """What they hold in memory."""
    return sum(map(_resident, family(pid))) / 1024


def _resident(pid: int) -> int:
    """Kilobytes."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmRSS:")), 0)
