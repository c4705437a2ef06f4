"""What it was measured on: numbers of two machines do not compare, and one machine's drift."""

import os
import platform
from importlib.metadata import version
from pathlib import Path

LIBRARIES = ("graphql-core", "strawberry-graphql", "starlette", "uvicorn", "httpx2", "orjson", "uvloop")


def described() -> str:
    versions = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    python = f"{platform.python_implementation()} {platform.python_version()} ({platform.python_compiler()})"
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    return f"{_model()}, {os.cpu_count()} cores, {platform.system()}, load {load}\n{python}; {versions}"


def _model() -> str:
    """As Linux tells it; elsewhere the architecture has to do."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def cpu_seconds(pid: int) -> float | None:
    """What a process has used so far, of its own and of the system's time; None where nobody tells."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
