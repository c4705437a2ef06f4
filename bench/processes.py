"""The vendors, the gateway and the reference, each as a process of its own."""

import re
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from journal.keys import digest
from sandbox.app import all_vendors, gateway_config
from sandbox.world import World

ROOT = Path(__file__).parent.parent
STARTING_SECONDS = 30.0
LAVISH = 100_000_000  # what a key may spend: what is measured is not how fast callers are turned away
GATEWAY = ("-c", "from gateway.cli import main; main()")
VIEWER = 'role = "viewer"'


@dataclass(frozen=True, slots=True)
class Gateway:
    """`vendors` is the sandbox's address, `base` the gateway's own."""

    base: str
    key: str
    pid: int
    vendors: str

    @property
    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.key}"}

    def ask(self, query: str) -> Any:
        """The data of an answer. Raises RuntimeError where it has errors."""
        answer = httpx2.post(f"{self.base}/graphql", json={"query": query}, headers=self.headers, timeout=60).json()
        if "errors" in answer:
            raise RuntimeError(str(answer["errors"][0]))
        return answer["data"]


@contextmanager
def running(
    *,
    latency: float = 0.0,
    cache_seconds: float | None = None,
    public_key: str | None = None,
    program: Sequence[str] = GATEWAY,
    rights: str = VIEWER,
) -> Iterator[Gateway]:
    """Fresh vendors and a gateway over them, which has asked them for the texts of events and nothing else yet.

    `latency` in seconds delays every answer of a vendor; `cache_seconds` is how long everything counts as fresh.
    `public_key` is SmartVend's in place of the sandbox's; `program` is what Python runs as the gateway; `rights`: what
    the key may do, as the configuration says it."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="vendgraph-bench-")))
        vendors, base = f"http://127.0.0.1:{free_port()}", f"http://127.0.0.1:{free_port()}"
        key = "vg_bench_" + secrets.token_urlsafe(16)
        config = folder / "vendgraph.toml"
        config.write_text(config_text(vendors, base, key, folder, cache_seconds, public_key, rights), encoding="utf-8")
        stack.enter_context(process_of("-m", "bench.vendors", _port(vendors)))
        wait(f"{vendors}/_sandbox/requests")
        gateway = stack.enter_context(process_of(*program, "serve", "--config", str(config)))
        wait(f"{base}/healthz")
        wait(f"{vendors}/_sandbox/requests", "get-dictionary-of-events")
        httpx2.post(f"{vendors}/_sandbox/latency", json={"milliseconds": latency * 1000})
        yield Gateway(base, key, gateway.pid, vendors)


@contextmanager
def running_reference(data: Path) -> Iterator[tuple[str, int]]:
    """The address and the process id of a server that executes queries on finished data; see `bench.reference`."""
    base = f"http://127.0.0.1:{free_port()}"
    with process_of("-m", "bench.reference", _port(base), str(data)) as process:
        wait(f"{base}/healthz")
        yield base, process.pid


class NoNode(Exception):
    """The message says what is missing."""


@contextmanager
def running_graphql_ws() -> Iterator[tuple[str, int]]:
    """The address and the process id of a server of npm's graphql-ws; see `bench/reference.mjs`. Raises NoNode."""
    node, installed = shutil.which("node"), ROOT / "tests" / "clients" / "node_modules"
    if node is None or not installed.is_dir():
        raise NoNode("there is no node, or `npm ci` was not run in tests/clients")
    base = f"http://127.0.0.1:{free_port()}"
    with process_of(str(ROOT / "bench" / "reference.mjs"), _port(base), program=node) as process:
        wait(base)
        yield base, process.pid


@contextmanager
def process_of(*arguments: str, program: str = sys.executable) -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen([program, *arguments], cwd=ROOT, stderr=subprocess.DEVNULL)  # noqa: S603
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=STARTING_SECONDS)


def config_text(
    vendors: str, base: str, key: str, folder: Path, cache_seconds: float | None, public_key: str | None, rights: str
) -> str:
    text = gateway_config(vendors, all_vendors(World()))
    text = text.replace('environment = "development"', f"port = {_port(base)}")
    if cache_seconds is not None:
        kinds = ("machines", "slots", "products", "state", "sales")
        times = "".join(f"{kind} = {cache_seconds}\n" for kind in kinds)
        text = text.replace("[accounts.credentials]", f"[accounts.cache]\n{times}[accounts.credentials]")
    if public_key is not None:
        text = re.sub(r'public_key = "\w+"', f'public_key = "{public_key}"', text)
    return text + (
        f"\n[limits]\ncost_per_second = {LAVISH}\ncost_burst = {LAVISH}\n"
        f'\n[store]\nurl = "sqlite:///{folder}/vendgraph.db"\n'
        f'\n[[auth.keys]]\nname = "bench"\nsha256 = "{digest(key)}"\n{rights}\norganizations = ["*"]\n'
    )


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


def _port(base: str) -> str:
    return base.rpartition(":")[2]


def wait(url: str, words: str = "") -> None:
    """Until the words are in its answer. Raises TimeoutError."""
    ends = time.monotonic() + STARTING_SECONDS
    while time.monotonic() < ends:
        with suppress(httpx2.TransportError):
            answer = httpx2.get(url, timeout=5)
            if answer.is_success and words in answer.text:
                return
        time.sleep(0.05)
    raise TimeoutError(f"{url} did not answer as it should")
