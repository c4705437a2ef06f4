"""`python main.py machines`, `python main.py sales`, or `python main.py follow [CURSOR]`."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator

import httpx
from vendgraph_client import Client, SaleLine
from websockets.exceptions import ConnectionClosedError

URL = os.environ.get("VENDGRAPH_URL", "http://127.0.0.1:8000/graphql")
AUTHORIZATION = {"authorization": "Bearer " + os.environ.get("VENDGRAPH_KEY", "")}
NO_GOOD_KEY = 4403
AGAIN_SECONDS = 1.0
PATIENCE_SECONDS = 30.0  # an answer that needs slow vendors takes some


async def machines(client: Client) -> None:
    found = (await client.machines()).machines
    for machine in found.nodes:
        temperature = f"{machine.temperature.celsius} °C" if machine.temperature else ""
        print(machine.name, machine.vendor.value, machine.connectivity.value, temperature)
    for source in found.sources:
        if not source.complete:
            print(source.account.key, "is missing:", source.error.message if source.error else "it is still being read")


async def sales(client: Client) -> AsyncIterator[SaleLine]:
    """All of them, page by page."""
    after, more = None, True
    while more:
        page = (await client.sales(after)).sales
        for sale in page.nodes:
            yield sale
        after, more = page.page_info.end_cursor, page.page_info.has_next_page


async def follow(client: Client, after: str | None) -> None:
    """Goes on from the last cursor after a break: nothing is left out, and nothing comes twice."""
    while True:
        try:
            async for message in client.new_sales(after):
                after = message.sales.cursor
                show(message.sales.sale, message.sales.gap.message if message.sales.gap else "")
        except (OSError, ConnectionClosedError) as error:
            if isinstance(error, ConnectionClosedError) and error.rcvd and error.rcvd.code == NO_GOOD_KEY:
                raise
        await asyncio.sleep(AGAIN_SECONDS)


def show(sale: SaleLine | None, gap: str = "") -> None:
    if sale is None:
        print("some are gone:", gap, flush=True)
        return
    price = f"{sale.total.amount} {sale.total.currency}" if sale.total else "free"
    machine = sale.machine.name if sale.machine else "a machine that is gone"
    print(sale.id, sale.recorded_at.isoformat(), price, machine, sep="\t", flush=True)


async def main(command: str = "machines", cursor: str | None = None) -> None:
    http = httpx.AsyncClient(headers=AUTHORIZATION, timeout=PATIENCE_SECONDS)
    live = {"ws_url": URL.replace("http", "ws", 1), "ws_connection_init_payload": AUTHORIZATION}
    async with Client(URL, http_client=http, **live) as client:
        if command == "sales":
            async for sale in sales(client):
                show(sale)
        elif command == "follow":
            await follow(client, cursor)
        else:
            await machines(client)


asyncio.run(main(*sys.argv[1:]))
