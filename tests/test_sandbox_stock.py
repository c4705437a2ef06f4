"""The emulated Livello's refills and sessions, called as a connector would call them."""

from datetime import datetime
from typing import Any

import httpx2
import pytest

from sandbox.livello import Livello
from sandbox.world import World
from tests.test_sandbox_livello import START, Clock, client_of, sign_in

Row = dict[str, Any]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def vendor(clock: Clock) -> Livello:
    return Livello(World(start=START, scale=0.1, now=clock), hourly=10**6)


@pytest.fixture
async def client(vendor: Livello) -> httpx2.AsyncClient:
    found = client_of(vendor)
    await sign_in(found)
    return found


async def ask(client: httpx2.AsyncClient, path: str, **query: Any) -> Any:
    answer = await client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def status(client: httpx2.AsyncClient, path: str, **query: Any) -> int:
    return (await client.get(path, params=query)).status_code


async def test_refills_come_newest_first_by_skip_and_limit(vendor: Livello, client: httpx2.AsyncClient) -> None:
    whole = vendor.truth()["refills"]
    first = await ask(client, "/refills", limit=7)
    assert first["total"] == len(whole) > 20
    told = first["data"] + (await ask(client, "/refills", limit=100, skip=7))["data"]
    assert [one["created"] for one in told] == sorted((one["created"] for one in whole), reverse=True)
    assert sorted(one["id"] for one in told) == sorted(one["id"] for one in whole)
    rising = await ask(client, "/refills", sort=1, limit=100)
    assert [one["created"] for one in rising["data"]] == sorted(one["created"] for one in whole)
    assert len((await ask(client, "/refills"))["data"]) == 25
    for wrong in ({"sort": 2}, {"skip": -1}, {"limit": "x"}, {"startDate": "then"}):
        assert await status(client, "/refills", **wrong) == 400


async def test_refills_are_narrowed_by_time_and_kiosk(vendor: Livello, client: httpx2.AsyncClient) -> None:
    whole = sorted(vendor.truth()["refills"], key=lambda one: str(one["created"]))
    since, until = whole[3]["created"], whole[9]["created"]
    found = await ask(client, "/refills", startDate=since, endDate=until, limit=100)
    assert {one["id"] for one in found["data"]} == {one["id"] for one in whole if since <= one["created"] <= until}
    serials = [row["serialNumber"] for row in vendor.truth()["machines"]][:2]
    found = await ask(client, "/refills", kioskSerialNumbers=",".join(serials), limit=100)
    assert {one["kiosk"]["serialNumber"] for one in found["data"]} == set(serials)
    assert found["total"] == sum(one["kiosk"]["serialNumber"] in serials for one in whole)


async def test_one_refill_is_found_by_its_number(vendor: Livello, client: httpx2.AsyncClient) -> None:
    one = vendor.truth()["refills"][5]
    assert await ask(client, f"/refills/{one['id']}") == one
    assert await status(client, "/refills/1") == 404
    assert await status(client, "/refills/x") == 400


async def test_refilling_a_kiosk_changes_what_is_in_it(vendor: Livello, client: httpx2.AsyncClient) -> None:
    serial = vendor.truth()["machines"][0]["serialNumber"]

    async def held() -> dict[str, int]:
        cells = await ask(client, f"/kiosks/{serial}/inventory")
        return {cell["planogramPosition"]: (cell["productLineData"] or {}).get("quantity", 0) for cell in cells}

    expected = await held()
    for _ in range(8):
        [made] = vendor.make_refills(1, machine=serial)
        for item in made["itemsReplenished"]:
            place = item["planogramPosition"]
            expected[place] = max(0, expected[place] + item["added"] - item["removed"])
        assert await held() == expected
        assert (await ask(client, "/refills", limit=1, kioskSerialNumbers=serial))["data"][0]["created"] == made[
            "created"
        ]


async def test_a_session_is_told_for_half_an_hour_or_as_long_as_is_asked_for(
    vendor: Livello, client: httpx2.AsyncClient, clock: Clock
) -> None:
    serial = vendor.truth()["machines"][0]["serialNumber"]
    [sold] = vendor.make_sales(1, machine=serial)
    path = f"/kiosks/{serial}/session"
    told = await ask(client, path)
    assert (told["status"], told["type"], told["isTerminal"]) == ("CLOSED", "purchase", True)
    assert told["details"]["externalTransactionId"] == sold["paymentMethod"]["externalTransactionId"]
    assert datetime.fromisoformat(told["createdAt"]) == START
    clock.advance(minutes=31)
    assert await status(client, path) == 404
    assert await ask(client, path, maxAgeMinutes=40) == told
    assert await status(client, path, maxAgeMinutes=0) == 400
    assert await status(client, "/kiosks/LIV-9999/session") == 404


async def test_each_needs_its_scope() -> None:
    client = client_of(Livello(World(start=START, scale=0.1, now=lambda: START), scopes="alerts:read"))
    await sign_in(client)
    for path in ("/refills", "/refills/201", "/kiosks/LIV-0001/session"):
        assert await status(client, path) == 403
