"""What the demonstration shows live: sales as they come in, a line each."""

import asyncio
from collections import Counter
from collections.abc import Collection
from contextlib import suppress
from datetime import datetime
from typing import Any

import typer

from gateway.following import following

SALES = """subscription {
  sales {
    origin
    sale { vendor recordedAt machine { name } lines { productName quantity } total { amount currency } }
  }
}"""
ENOUGH = 2  # messages of each vendor
AT_MOST = 500  # messages, after which a vendor that was not among them is missing
PATIENCE = 60.0  # seconds, for where none come at all


async def watch(base: str, key: str) -> None:
    """Until it is cancelled, or the gateway ends. Raises httpx2.HTTPError where the gateway does not answer."""
    async with following(base, key, SALES) as results:
        async for result in results:
            _show(result)


async def hears_of(base: str, key: str, vendors: Collection[str], at_most: int = AT_MOST) -> bool:
    """Whether messages of all these come, before too many have come altogether."""
    heard: Counter[str] = Counter()
    with suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE), following(base, key, SALES) as results:
            async for result in results:
                heard[_show(result)] += 1
                if all(heard[vendor] >= ENOUGH for vendor in vendors):
                    return True
                if heard.total() >= at_most:
                    break
    return False


def _show(result: dict[str, Any]) -> str:
    """The vendor."""
    message = result["data"]["sales"]
    sale = message["sale"]
    at = datetime.fromisoformat(sale["recordedAt"]).astimezone()
    lines = ", ".join(f"{line['quantity']} x {line['productName']}" for line in sale["lines"])
    total = f"{sale['total']['amount']} {sale['total']['currency']}" if sale["total"] else ""
    machine = sale["machine"]["name"] if sale["machine"] else "a machine that is gone"
    typer.echo(f"{at:%H:%M:%S}  {sale['vendor']:<12}  {machine}: {lines}  {total}  ({message['origin']})")
    return str(sale["vendor"])
