"""Who is measured, and how each is started."""

import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from bench.peers import cores
from bench.peers.queries import MACHINE
from bench.processes import GATEWAY, ROOT, STARTING_SECONDS, free_port
from domain.refs import Kind, Ref
from journal.keys import digest

NODE, HIVE = ROOT / "bench" / "peers" / "node", ROOT / "bench" / "peers" / "hive"
TAILCALL = ROOT / "bench" / "peers" / "tailcall.graphql"
SILENT = {"TAILCALL_LOG_LEVEL": "error", "TAILCALL_TRACKER": "false"}  # it logs each request, and counts its users
KEPT = 10_000  # answers of the vendor
FOREVER = 3600.0  # seconds: for which whatever is kept is fresh
ACCOUNT = "kiosks"
UNKEPT, REREADING, UNCOMPILED = (("-m", f"bench.peers.{name}") for name in ("unkept", "reread", "uncompiled"))


class Missing(Exception):
    """The message says what a side lacks to be run here."""


@dataclass(frozen=True, slots=True)
class Server:
    """`machine`: how the one that is asked for alone is called there."""

    port: int
    pid: int
    headers: Mapping[str, str] = field(default_factory=dict)
    machine: str = MACHINE


@dataclass(frozen=True, slots=True)
class Side:
    """`start(upstream, seconds)`: `upstream` is the vendor's base URL, `seconds` how long anything may be kept.

    `shares`: where it may keep, it gives what it made for one caller to others who ask the same, whole answers or calls
    of the vendor. `warm` and `cold`: whether it is asked where whatever can be kept is, and where nothing may be."""

    name: str
    start: Callable[[str, float], AbstractContextManager[Server]]
    shares: bool = False
    warm: bool = True
    cold: bool = True


@contextmanager
def process(
    command: Sequence[str], core: int, where: Path = ROOT, quiet: Mapping[str, str] | None = None
) -> Iterator["subprocess.Popen[bytes]"]:
    """On one core. What it says goes into a file, whose end is told where it does not come to life."""
    with tempfile.TemporaryFile() as said:
        with cores.on(core):
            settings = {**os.environ, "NODE_ENV": "production", **(quiet or {})}
            started = subprocess.Popen(list(command), cwd=where, stdout=said, stderr=said, env=settings)  # noqa: S603
        try:
            yield started
        except TimeoutError as error:
            said.seek(0)
            raise Missing(f"{error}: {said.read()[-500:].decode(errors='replace')}") from error
        finally:
            started.terminate()
            started.wait(timeout=STARTING_SECONDS)


def listening(port: int, started: "subprocess.Popen[bytes]") -> None:
    """Waits until somebody takes connections. Raises TimeoutError."""
    ends = time.monotonic() + STARTING_SECONDS
    while time.monotonic() < ends and started.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise TimeoutError(f"{started.args!r:.80} does not listen")


@contextmanager
def vendor() -> Iterator[str]:
    """The upstream's base URL."""
    port = free_port()
    with process([sys.executable, "-m", "bench.peers.upstream", str(port)], cores.OTHERS) as started:
        listening(port, started)
        yield f"http://127.0.0.1:{port}/api/v1"


@contextmanager
def _ours(program: Sequence[str], upstream: str, seconds: float) -> Iterator[Server]:
    """As it is served in production; the vendor's budget and the key's are counted, but as high as they may be."""
    port, key = free_port(), "vg_bench_" + secrets.token_urlsafe(16)
    with tempfile.TemporaryDirectory(prefix="vendgraph-bench-") as folder:
        config = Path(folder) / "vendgraph.toml"
        config.write_text(_config(upstream, seconds, port, key, folder), encoding="utf-8")
        command = [sys.executable, *program, "serve", "--config", str(config)]
        with process(command, cores.SERVERS) as started:
            listening(port, started)
            machine = Ref(Kind.MACHINE, ACCOUNT, MACHINE).text
            yield Server(port, started.pid, {"authorization": f"Bearer {key}"}, machine)


def _config(upstream: str, seconds: float, port: int, key: str, folder: str) -> str:
    kinds = ("machines", "slots", "products", "state", "sales")
    return "\n".join(
        (
            f"[server]\nport = {port}",
            f'[store]\nurl = "sqlite:///{folder}/vendgraph.db"',
            "[limits]\ncost_per_second = 100000000\ncost_burst = 1000000000",
            '[[organizations]]\nkey = "acme"\nname = "Acme"',
            f'[[accounts]]\nkey = "{ACCOUNT}"\norganization = "acme"\nvendor = "livello"\nbase_url = "{upstream}"',
            'currency = "EUR"',
            '[accounts.credentials]\nclient_id = "bench"\nclient_secret = "bench"',
            "[accounts.limits]\nrequests = 100000000\nper_seconds = 3600",
            f"[accounts.feed]\nevery_seconds = {FOREVER}",
            "[accounts.cache]\n" + "\n".join(f"{kind} = {seconds}" for kind in kinds),
            f'[[auth.keys]]\nname = "bench"\nsha256 = "{digest(key)}"\nrole = "viewer"\norganizations = ["*"]\n',
        )
    )


@contextmanager
def _node(script: str, upstream: str, seconds: float, *more: str) -> Iterator[Server]:
    node, _ = _installed(NODE)
    port = free_port()
    command = [node, script, str(port), upstream, str(seconds), *more]
    with process(command, cores.SERVERS, NODE) as started:
        listening(port, started)
        yield Server(port, started.pid)


@contextmanager
def _tailcall(upstream: str, seconds: float, *, shared: bool = False) -> Iterator[Server]:
    """One worker, for it has one core. What it needs, it says by itself."""
    _, modules = _installed(NODE)
    binary = modules / "@tailcallhq" / "core-linux-x64-gnu" / "bin" / "tailcall"
    if not binary.is_file():
        raise Missing("its package has no binary for this machine")
    port = free_port()
    told = {"PORT": str(port), "BASE": upstream, "CACHE": str(KEPT if seconds else 0), "SHARED": str(shared).lower()}
    graph = TAILCALL.read_text(encoding="utf-8")
    for word, value in told.items():
        graph = re.sub(rf"\b{word}\b", value, graph)
    with tempfile.TemporaryDirectory(prefix="vendgraph-bench-") as folder:
        file = Path(folder) / "graph.graphql"
        file.write_text(graph, encoding="utf-8")
        with process([str(binary), "start", str(file)], cores.SERVERS, quiet=SILENT) as started:
            listening(port, started)
            yield Server(port, started.pid)


@contextmanager
def _hive(upstream: str, seconds: float) -> Iterator[Server]:
    """Composed anew, for the vendor's address is part of what Mesh composes. It keeps whole answers."""
    node, modules = _installed(HIVE)
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="vendgraph-bench-") as folder:
        graph = Path(folder) / "supergraph.graphql"
        told = {"BASE": upstream, "SUPERGRAPH": str(graph), "PORT": str(port), "SECONDS": str(seconds)}
        compose = [node, str(modules / "@graphql-mesh" / "compose-cli" / "esm" / "bin.js"), "-o", str(graph)]
        with process(compose, cores.OTHERS, HIVE, told) as composing:
            composing.wait(timeout=STARTING_SECONDS)
        serve = [node, str(modules / "@graphql-hive" / "gateway" / "dist" / "bin.js"), "supergraph"]
        with process(serve, cores.SERVERS, HIVE, told) as started:
            listening(port, started)
            yield Server(port, started.pid)


def _installed(folder: Path) -> tuple[str, Path]:
    """Node itself, and the packages. Raises Missing."""
    node, modules = shutil.which("node"), folder / "node_modules"
    if node is None or not modules.is_dir():
        raise Missing(f"there is no node, or `npm ci` was not run in {folder.relative_to(ROOT)}")
    return node, modules


def _whole(upstream: str, seconds: float) -> AbstractContextManager[Server]:
    return _node("yoga.mjs", upstream, seconds, "whole")


OURS = Side("vendgraph", partial(_ours, GATEWAY))
PLAIN = Side("plain Strawberry, the same resolvers", partial(_ours, UNCOMPILED))
ANEW = Side("vendgraph, every answer made anew", partial(_ours, UNKEPT), cold=False)
REREAD = Side("vendgraph, every body read anew", partial(_ours, REREADING), warm=False)
OF_US = (OURS, ANEW, REREAD, PLAIN)
SIDES = (
    *OF_US,
    Side("Mercurius + graphql-jit", partial(_node, "mercurius.mjs")),
    Side("Yoga + graphql-jit", partial(_node, "yoga.mjs")),
    Side("Yoga + graphql-jit, whole answers kept", _whole, shares=True, cold=False),
    Side("Tailcall", _tailcall),
    Side("Hive Gateway + Mesh", _hive, shares=True),
    Side("Tailcall, calls under way shared", partial(_tailcall, shared=True), shares=True, cold=False),
)


def versions() -> Mapping[str, str]:
    """Of what npm installed, by package."""
    return {name: version for folder in (NODE, HIVE) for name, version in _versions(folder)}


def _versions(folder: Path) -> Iterator[tuple[str, str]]:
    told = json.loads((folder / "package.json").read_text(encoding="utf-8"))
    for name in (*told["dependencies"], *told.get("optionalDependencies", {})):
        with suppress(OSError):
            package = json.loads((folder / "node_modules" / name / "package.json").read_text(encoding="utf-8"))
            yield name, package["version"].removeprefix("v")
