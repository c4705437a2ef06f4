"""Gateways as processes of their own over a store that a test does things to, and floods of deliveries to them."""

import asyncio
import json
import signal
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from connectors.smartvend.canonical import canonical
from journal.keys import digest
from sandbox.app import gateway_config
from sandbox.smartvend import ORGANIZATION_KEY
from sandbox.smartvend_hooks import WEBHOOK_PUBLIC_KEY
from tests.processes import Process, running
from tests.running import ADMIN, Gateway, Sandbox
from tests.telling import SMARTVEND_KEY, smartvend_sale

COUNTS = "{ accounts { key webhook { accepted duplicates rejected quarantined } } }"


def config(store: str, *, bus: str = "memory://", vendor: str = "http://127.0.0.1:9") -> str:
    """A SmartVend account that takes webhooks. `vendor`: a sandbox's address; without it the vendor is out of reach."""
    return f"""
[server]
port = 0
[store]
url = "{store}"
[bus]
url = "{bus}"
[[organizations]]
key = "acme"
name = "Acme Vending"
[[auth.keys]]
name = "admin"
sha256 = "{digest(ADMIN)}"
role = "admin"
organizations = ["acme"]
[[accounts]]
key = "acme-coffee"
organization = "acme"
vendor = "smartvend"
base_url = "{vendor}/smartvend/v1"
currency = "EUR"
timezone = "Europe/Lisbon"
[accounts.credentials]
organization_key = "{ORGANIZATION_KEY}"
[accounts.webhook]
public_key = "{WEBHOOK_PUBLIC_KEY}"
[accounts.feed]
every_seconds = 3600
"""


def fed(sandbox: Sandbox, store: str, *vendors: str, bus: str = "memory://", every: float = 0.2) -> str:
    """Accounts of a sandbox whose lists are read that often, in seconds."""
    text = gateway_config(sandbox.base, [sandbox.vendors[vendor] for vendor in vendors])
    text = text.replace("[server]", "[server]\nport = 0")
    text = text.replace("[accounts.credentials]", f"[accounts.feed]\nevery_seconds = {every}\n[accounts.credentials]")
    text += f'\n[store]\nurl = "{store}"\n[bus]\nurl = "{bus}"\n'
    text += f'[[auth.keys]]\nname = "admin"\nsha256 = "{digest(ADMIN)}"\nrole = "admin"\norganizations = ["acme"]\n'
    return text


@dataclass(slots=True)
class Served:
    process: Process
    gateway: Gateway

    def kill(self) -> None:
        self.process.stop(signal.SIGKILL)


@contextmanager
def serving(folder: Path, text: str) -> Iterator[Served]:
    """`folder` keeps its configuration and what it prints; each process needs one of its own."""
    folder.mkdir(exist_ok=True)
    path = folder / "vendgraph.toml"
    path.write_text(text, encoding="utf-8")
    with running(folder, "serve", "--config", path) as process:
        process.wait_for('"serving"')
        address = next(line["address"] for line in process.told() if line["event"] == "serving")
        yield Served(process, Gateway(address))


@dataclass(slots=True)
class Flood:
    """Sales told by so many senders at once, each time another, until `enough`.

    `taken`: the ids of those that were answered 200; `doubtful`: the bodies of those that were not, or not at all;
    `statuses`: all answers."""

    base: str
    taken: set[str] = field(default_factory=set)
    doubtful: list[dict[str, Any]] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)

    def client(self) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(timeout=30, trust_env=False)

    async def run(self, enough: "Callable[[Flood], bool]", senders: int = 8) -> None:
        async with self.client() as client:
            await asyncio.gather(*(self._send(client, enough) for _ in range(senders)))

    async def _send(self, client: httpx2.AsyncClient, enough: "Callable[[Flood], bool]") -> None:
        while not enough(self):
            if not await self.tell(client, smartvend_sale()):
                return

    async def tell(self, client: httpx2.AsyncClient, sale: dict[str, Any]) -> bool:
        """False where no answer came."""
        raw = json.dumps(sale).encode()
        headers = {"x-signature": b64encode(SMARTVEND_KEY.sign(canonical(raw))).decode()}
        try:
            answer = await client.post(f"{self.base}/webhooks/acme-coffee", content=raw, headers=headers)
        except httpx2.TransportError:
            self.doubtful.append(sale)
            return False
        self.statuses.append(answer.status_code)
        if answer.status_code == 200:
            self.taken.add(sale["saleId"])
        else:
            self.doubtful.append(sale)
        return True

    async def again(self) -> None:
        """Sends the doubtful ones once more, as the vendor would."""
        doubtful, self.doubtful = self.doubtful, []
        async with self.client() as client:
            for sale in doubtful:
                await self.tell(client, sale)


def counted(gateway: Gateway, account: str = "acme-coffee") -> dict[str, int]:
    found = gateway.ask(COUNTS)["accounts"]
    counts: dict[str, int] = next(one["webhook"] for one in found if one["key"] == account)
    return counts


def without_repeats(names: Sequence[str]) -> set[str]:
    found = set(names)
    assert len(found) == len(names)
    return found
