"""A bulk over three vendors and more than sixty machines: one vendor fails in the middle of it, and its process is
killed. Asked for again it goes on, and nothing is sent twice: not even what was about to be sent, and was not."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.app import gateway_config
from tests.attempts import kept, keyed, started
from tests.bulking import PRICES, asked, ended, priced, read, slots, statuses
from tests.commanding import Found, fleet, new_key
from tests.journals import until
from tests.lossy import Fault, Lossy, lossy
from tests.running import Gateway, Sandbox, running_sandbox

VENDORS = ("SMARTVEND", "LIVELLO", "VENDNOVATION")
EACH = 22
FIRST = 7_000  # cents: no price of the sandbox is so high
SENDS = {"smartvend": "update-controller-matrix", "livello": "/price", "vendnovation": "/selections"}


@pytest.fixture(scope="module")
def shared_sandbox() -> Iterator[Sandbox]:
    with running_sandbox(scale=0.6, days=1) as sandbox:
        yield sandbox


def config(sandbox: Sandbox, base: str, store: str) -> str:
    vendors = [sandbox.vendors[name.lower()] for name in VENDORS]
    return keyed(gateway_config(base, vendors), store) + "\n[commands]\nanswer_seconds = 0.5\n"


def arrived(wire: Lossy) -> "Counter[int]":
    """How often each of the bulk's prices came to a vendor, by the place of its item."""
    found: Counter[int] = Counter()
    for one in wire.arrived:
        found.update({_cents(price) - FIRST for price in _prices(one.path, one.body) if _cents(price) >= FIRST})
    return found


def _prices(path: str, body: Any) -> list[Any]:
    """Of what is written: SmartVend's are cents."""
    if body is None:
        return []
    if SENDS["smartvend"] in path:
        return [cell["price"] / 100 for cell in body["products"]]
    if path.endswith(SENDS["livello"]):
        return [body["price"]]
    return [row["price"] for row in body.get("body", ())] if path.endswith(SENDS["vendnovation"]) else []


def _cents(price: float) -> int:
    return round(float(price) * 100)


class Bad:
    """Livello is out of reach, and the answers to SmartVend's from the fifth change on are held."""

    def __init__(self) -> None:
        self.changes = 0

    def __call__(self, path: str) -> Fault:
        if "/livello/" in path:
            return Fault.RESET_BEFORE
        self.changes += SENDS["smartvend"] in path
        return Fault.HOLD if SENDS["smartvend"] in path and self.changes > 4 else Fault.NONE


def standings(store: str, key: str, items: int) -> list[str | None]:
    """What each item's command stood as when nobody was at it any more."""
    ledger = kept(store)
    found = [ledger.get(f"{key}#{at}") for at in range(items)]
    return [None if command is None else command.status.value for command in found]


async def again(gateway: Gateway, key: str, prices: list[Found]) -> Found:
    """Asked for once more, until it is over."""
    found = await asyncio.to_thread(asked, gateway, PRICES, key=key, prices=prices)
    for _ in range(300):
        if ended(found):
            return found
        await asyncio.sleep(0.1)
        found = await asyncio.to_thread(read, gateway, found["id"])
    raise AssertionError(found["counts"])


async def test_killed_in_the_middle_it_goes_on_when_it_is_asked_for_again(sandbox: Sandbox, tmp_path: Path) -> None:
    store, key = f"sqlite:///{tmp_path}/it.db", new_key()
    async with lossy(sandbox.base) as wire:
        text = config(sandbox, wire.base, store)
        async with started(tmp_path / "one", text) as served:
            found = slots(await asyncio.to_thread(fleet, served.gateway), *VENDORS, each=EACH)
            assert len({one["machine"]["id"] for one in found}) == 3 * EACH
            prices = priced(found, FIRST)
            wire.decide = Bad()
            told = await asyncio.to_thread(asked, served.gateway, PRICES, key=key, prices=prices)
            assert told["running"]
            assert {"PENDING"} <= {item["command"]["status"] for item in told["items"]}
            await until(lambda: wire.held >= 1)
            served.kill()
        standing = standings(store, key, len(prices))
        wire.released.set()
        wire.decide = lambda _: Fault.NONE
        before = arrived(wire)
        async with started(tmp_path / "next", text) as served:
            went = await asyncio.to_thread(read, served.gateway, told["id"])
            over = await again(served.gateway, key, prices)
            still = await again(served.gateway, key, prices)
    # What stands as SENT may have been sent: it never is again, though it may not have come to be sent at all.
    claimed = {at for at, status in enumerate(standing) if status == "SENT"}
    never = set(range(len(prices))) - arrived(wire).keys()
    assert len(before) < len(prices)
    assert {"PENDING", "SUCCEEDED", "SENT", "FAILED"} >= set(standing) >= {"SUCCEEDED", "SENT"}
    assert all(statuses(went)[at] == status for at, status in enumerate(standing) if at not in claimed)
    assert arrived(wire) == dict.fromkeys(set(range(len(prices))) - never, 1)
    assert never <= claimed
    assert {statuses(over)[at] for at in never} <= {"UNKNOWN"}
    assert set(statuses(over)) <= {"SUCCEEDED", "UNKNOWN"}
    assert over["id"] == still["id"] == told["id"]
    assert {at for at, status in enumerate(statuses(over)) if status == "UNKNOWN"} <= claimed
    by_vendor = Counter(zip((one["vendor"] for one in found), statuses(over), strict=True))
    assert by_vendor["LIVELLO", "SUCCEEDED"] == EACH
