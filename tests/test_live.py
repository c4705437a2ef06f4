"""What is reported is seen: by the next query, and by who follows."""

import asyncio
import json
import time
from datetime import UTC, datetime
from typing import Any, Self
from uuid import uuid4

import httpx2
import pytest
import websockets

from sandbox.smartepi import WEBHOOK
from tests.running import ADMIN, Gateway, moment
from tests.telling import smartepi, smartvend, smartvend_sale

SALES = """subscription ($after: String) {
  sales(after: $after) { cursor origin sale { vendorId trust total { amount } } gap { message } }
}"""


class Follower:
    """A client of graphql-transport-ws."""

    def __init__(self, gateway: Gateway) -> None:
        self._address = gateway.base.replace("http", "ws") + "/graphql"

    async def __aenter__(self) -> Self:
        self._socket = await websockets.connect(
            self._address, subprotocols=[websockets.Subprotocol("graphql-transport-ws")]
        )
        await self.say({"type": "connection_init", "payload": {"authorization": f"Bearer {ADMIN}"}})
        assert (await self.hear())["type"] == "connection_ack"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._socket.close()

    async def say(self, message: dict[str, Any]) -> None:
        await self._socket.send(json.dumps(message))

    async def hear(self) -> Any:
        return json.loads(await asyncio.wait_for(self._socket.recv(), 10))


@pytest.mark.usefixtures("sandbox")
async def test_a_delivery_reaches_who_follows_and_the_next_query(gateway: Gateway) -> None:
    gateway.ask("{ sales(first: 5) { nodes { id } } }")
    async with Follower(gateway) as follower:
        await follower.say({"id": "1", "type": "subscribe", "payload": {"query": SALES}})
        await asyncio.sleep(0.2)
        sale = smartvend_sale()
        answer = await asyncio.to_thread(smartvend, gateway.base, sale)
        assert answer.status_code == 200, answer.text
        told = await follower.hear()
        message = told["payload"]["data"]["sales"]
        assert message["sale"] == {"vendorId": sale["saleId"], "trust": "SIGNED", "total": {"amount": "2.50"}}
        data, asked = gateway.traced("{ sales(first: 5) { nodes { vendorId trust } } }")
        assert data["sales"]["nodes"][0] == {"vendorId": sale["saleId"], "trust": "SIGNED"}
        assert asked == []
        assert (await asyncio.to_thread(smartvend, gateway.base, sale)).status_code == 200
        other = smartvend_sale()
        await asyncio.to_thread(smartvend, gateway.base, other)
        again = (await follower.hear())["payload"]["data"]["sales"]
        assert again["sale"]["vendorId"] == other["saleId"]
    body = {"query": SALES, "variables": {"after": message["cursor"]}}
    headers = {"authorization": f"Bearer {ADMIN}", "accept": "text/event-stream"}
    async with (
        httpx2.AsyncClient() as client,
        client.stream("POST", f"{gateway.base}/graphql", json=body, headers=headers) as response,
    ):
        assert response.status_code == 200
        lines = []
        async for line in response.aiter_lines():
            lines.append(line)
            if line.startswith("data:"):
                break
    assert lines[0] == ":"
    assert f"id: {again['cursor']}" in lines
    counts = gateway.ask("{ accounts { key webhook { accepted duplicates rejected lastReceivedAt } } }")["accounts"]
    assert counts[0]["webhook"]["accepted"] == 2
    assert counts[0]["webhook"]["duplicates"] == 1


@pytest.mark.usefixtures("sandbox")
def test_a_dispenser_that_hands_something_out_for_the_first_time_is_there_at_once(gateway: Gateway) -> None:
    query = "{ machines(first: 500, filter: {vendors: [SMARTEPI]}) { nodes { vendorId name lastSeenAt observedAt } } }"
    known = gateway.ask(query)["machines"]["nodes"]
    at = int(time.time())
    withdrawal = {
        "id": f"w-{uuid4()}",
        "withdrawalStatus": "SUCCESS",
        "employeeId": "e-1",
        "employeeName": "Ana",
        "productId": "p-1",
        "productName": "Gloves",
        "quantity": 2,
        "deviceId": "brand-new",
        "deviceName": "Gate 7",
        "createdAt": at,
    }
    body = {"id": f"evt_withdrawal_created_{withdrawal['id']}", "type": "withdrawal.created", "createdAt": at}
    assert smartepi(gateway.base, {**body, "data": withdrawal}, WEBHOOK["secret"]).status_code == 200
    for _ in range(100):
        data, asked = gateway.traced(query)
        if len(data["machines"]["nodes"]) > len(known):
            break
        time.sleep(0.02)
    new = next(one for one in data["machines"]["nodes"] if one["vendorId"] == "brand-new")
    assert (new["name"], moment(new["lastSeenAt"])) == ("Gate 7", datetime.fromtimestamp(at, UTC))
    assert asked == []
    later = {**withdrawal, "id": f"w-{uuid4()}", "createdAt": at + 1}
    smartepi(gateway.base, {**body, "id": f"evt_withdrawal_created_{later['id']}", "data": later}, WEBHOOK["secret"])
    for _ in range(100):
        data, asked = gateway.traced(query)
        new = next(one for one in data["machines"]["nodes"] if one["vendorId"] == "brand-new")
        if moment(new["lastSeenAt"]) == datetime.fromtimestamp(at + 1, UTC):
            break
        time.sleep(0.02)
    assert moment(new["lastSeenAt"]) == datetime.fromtimestamp(at + 1, UTC)
    assert asked == []
