"""The emulated EatMachine, called as a connector would call it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from sandbox.eatmachine import API_KEY, CREDENTIALS, TOKEN_LIFE, EatMachine
from sandbox.eatmachine_fridges import SLUGS, URL_SECRET
from sandbox.world import World

START = datetime(2026, 3, 4, 15, 6, 7, 250_000, tzinfo=UTC)
WRITTEN = "2026-03-04T15:06:07+00:00"  # with an offset and without a fraction
MISSING, UNEXPECTED, INVALID = "This field is missing.", "This field was not expected.", "This value is not valid."
SETTINGS = {
    "temperatureMinAlert": -10,
    "temperatureMaxAlert": 10,
    "webhookUrl": "https://example.com/webhook-fridge-api",
    "kioskUrl": "https://kiosk.example.com",
    "heartbeatInterval": 300,
}


class Clock:
    def __init__(self) -> None:
        self.moment = START

    def __call__(self) -> datetime:
        return self.moment


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def vendor(clock: Clock) -> EatMachine:
    return EatMachine(World(start=START, scale=0.5, now=clock))


@pytest.fixture
async def client(vendor: EatMachine) -> AsyncIterator[httpx2.AsyncClient]:
    app = Starlette(routes=[Mount("/eatmachine", routes=vendor.routes())])
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=app),
        base_url="http://sandbox/eatmachine",
        headers={"authorization": f"Bearer {API_KEY}"},
    ) as client:
        yield client


async def ask(client: httpx2.AsyncClient, path: str, body: Any = None) -> Any:
    """The `data` of an answer in the wrapper."""
    answer = await client.post(path, json=body) if body is not None else await client.post(path)
    assert answer.is_success, answer.text
    assert answer.json().keys() == {"message", "data"}
    return answer.json()["data"]


async def faults(client: httpx2.AsyncClient, path: str, body: Any) -> Any:
    answer = await client.post(path, json=body)
    assert (answer.status_code, answer.json()["message"]) == (400, "Validation error."), answer.text
    assert answer.json().keys() == {"message", "data"}
    return answer.json()["data"]


# ---- who asks


async def test_a_key_is_sent_as_a_bearer(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/auth/me")
    assert answer.status_code == 200
    assert answer.json()["data"] == {"identifier": CREDENTIALS["username"]}
    for wrong in ("Bearer other", API_KEY, f"Basic {API_KEY}", f"bearer{API_KEY}", "Bearer ", ""):
        refused = await client.get("/auth/me", headers={"authorization": wrong})
        assert (refused.status_code, refused.json()) == (401, {"message": "Unauthorized.", "data": None}), wrong
    del client.headers["authorization"]
    assert (await client.get("/auth/me")).status_code == 401


@pytest.mark.parametrize("path", ["/fleets", "/fridges", "/fridges/x/commands/open"])
async def test_nothing_is_done_without_a_key(client: httpx2.AsyncClient, vendor: EatMachine, path: str) -> None:
    before = vendor.truth()
    del client.headers["authorization"]
    assert (await client.post(path, json={})).status_code == 401
    assert vendor.truth() == before


async def test_a_password_buys_a_bare_token_for_a_while(client: httpx2.AsyncClient, clock: Clock) -> None:
    del client.headers["authorization"]
    answer = await client.post("/auth/login", json=CREDENTIALS)
    assert (answer.status_code, answer.json().keys()) == (200, {"token"})
    headers = {"authorization": f"Bearer {answer.json()['token']}"}
    clock.moment += TOKEN_LIFE - timedelta(seconds=1)
    assert (await client.get("/auth/me", headers=headers)).status_code == 200
    clock.moment += timedelta(seconds=1)
    assert (await client.get("/auth/me", headers=headers)).status_code == 401


async def test_a_wrong_password_buys_nothing(client: httpx2.AsyncClient) -> None:
    for wrong in ({"password": "guess"}, {"username": "other@acme.example"}):
        answer = await client.post("/auth/login", json=CREDENTIALS | wrong)
        assert (answer.status_code, "token" in answer.json()) == (401, False)


async def test_a_login_takes_two_fields_and_no_other(client: httpx2.AsyncClient) -> None:
    assert await faults(client, "/auth/login", {}) == {"username": [MISSING], "password": [MISSING]}
    email = {"email": "x", "password": CREDENTIALS["password"]}
    assert await faults(client, "/auth/login", email) == {"username": [MISSING], "email": [UNEXPECTED]}
    assert await faults(client, "/auth/login", CREDENTIALS | {"username": 5}) == {"username": [INVALID]}
    for broken in (b"", b"{", b"[]"):
        assert (await client.post("/auth/login", content=broken)).status_code == 400


# ---- fleets and fridges


async def test_there_is_no_list_of_anything(client: httpx2.AsyncClient, vendor: EatMachine) -> None:
    fridge = next(iter(vendor.fleet.fridges))
    for path in ("/fridges", "/fleets", f"/fridges/{fridge}/commands/open"):
        assert (await client.get(path)).status_code == 405
    for path in (f"/fridges/{fridge}", "/products", "/commands", f"/fridges/{fridge}/inventory"):
        assert (await client.get(path)).status_code == 404


async def test_a_fleet_is_made_by_its_name(client: httpx2.AsyncClient) -> None:
    answer = await client.post("/fleets", json={"name": "My Fleet"})
    assert answer.json()["message"] == "Fleet created"
    fleet = answer.json()["data"]
    assert fleet == {"uuid": fleet["uuid"], "name": "My Fleet", "createdAt": WRITTEN, "updatedAt": WRITTEN}
    assert UUID(fleet["uuid"]).version == 4
    assert await faults(client, "/fleets", {"foo": 1}) == {"name": [MISSING], "foo": [UNEXPECTED]}
    assert await faults(client, "/fleets", {"name": None}) == {"name": [INVALID]}


async def test_a_fridge_is_made_in_a_fleet_and_shown_as_it_is(client: httpx2.AsyncClient, vendor: EatMachine) -> None:
    fleet = await ask(client, "/fleets", {"name": "My Fleet"})
    answer = await client.post("/fridges", json={"fleet_id": fleet["uuid"], "settings": SETTINGS})
    assert answer.json()["message"] == "Fridge created."
    fridge = answer.json()["data"]
    assert fridge == {
        "uuid": fridge["uuid"],
        "doorStatus": "closed",
        "temperature": None,
        "lastActivity": WRITTEN,
        "settings": {"firmwareVersion": None, **SETTINGS},
        "fleet": fleet,
        "initKey": fridge["initKey"],
        "createdAt": WRITTEN,
        "updatedAt": WRITTEN,
    }
    assert len(fridge["initKey"]) == len(f"{int(fridge['initKey'], 16):013x}") == 13
    assert fridge["uuid"] in {row["uuid"] for row in vendor.truth()["machines"]}
    assert (await ask(client, f"/fridges/{fridge['uuid']}/commands/open"))["status"] is None


async def test_a_setting_may_be_left_out_or_null(client: httpx2.AsyncClient, vendor: EatMachine) -> None:
    body = {"fleet_id": next(iter(vendor.fleet.fleets)), "settings": {"kioskUrl": None, "heartbeatInterval": 60}}
    settings = (await ask(client, "/fridges", body))["settings"]
    assert settings == dict.fromkeys(("firmwareVersion", *SETTINGS)) | {"heartbeatInterval": 60}


async def test_a_fridge_takes_snake_case_in_one_place_and_camel_case_in_the_others(
    client: httpx2.AsyncClient, vendor: EatMachine
) -> None:
    fleet = next(iter(vendor.fleet.fleets))
    before = len(vendor.fleet.fridges)
    assert await faults(client, "/fridges", {"foo": 1, "settings": {}}) == {
        "fleet_id": [MISSING],
        "foo": [UNEXPECTED],
    }
    assert await faults(client, "/fridges", {"fleetId": fleet, "settings": SETTINGS}) == {
        "fleet_id": [MISSING],
        "fleetId": [UNEXPECTED],
    }
    for changed, wrong in (
        ({"fleet_id": "nowhere"}, {"fleet_id": [INVALID]}),
        ({"fleet_id": [fleet]}, {"fleet_id": [INVALID]}),
        ({"settings": "warm"}, {"settings": [INVALID]}),
        ({"settings": {"webhook_url": "https://example.com"}}, {"webhook_url": [UNEXPECTED]}),
        ({"settings": {"heartbeatInterval": "300"}}, {"heartbeatInterval": [INVALID]}),
        ({"settings": {"heartbeatInterval": True}}, {"heartbeatInterval": [INVALID]}),
        ({"settings": {"webhookUrl": 5}}, {"webhookUrl": [INVALID]}),
    ):
        assert await faults(client, "/fridges", {"fleet_id": fleet, "settings": SETTINGS} | changed) == wrong
    assert await faults(client, "/fridges", {"fleet_id": fleet}) == {"settings": [MISSING]}
    assert len(vendor.fleet.fridges) == before


# ---- commands


@pytest.mark.parametrize("slug", ["reboot", "open", "inventory", "temperature", "door-status", "restart-app"])
async def test_a_command_is_taken_and_its_outcome_is_not_known_yet(
    client: httpx2.AsyncClient, vendor: EatMachine, slug: str
) -> None:
    fridge = next(iter(vendor.fleet.fridges))
    headers = {"content-type": "application/json"}
    answer = await client.post(f"/fridges/{fridge}/commands/{slug}", headers=headers)
    assert answer.json()["message"] == "Command created."
    command = answer.json()["data"]
    assert command == {
        "uuid": command["uuid"],
        "author": {"identifier": CREDENTIALS["username"], "createdAt": WRITTEN, "updatedAt": WRITTEN},
        "type": {"name": SLUGS[slug], "slug": slug},
        "status": None,
        "message": None,
        "createdAt": WRITTEN,
        "updatedAt": WRITTEN,
    }
    assert vendor.truth()["commands"] == [command | {"fridge": fridge}]


async def test_there_is_no_other_command_and_no_other_fridge(client: httpx2.AsyncClient, vendor: EatMachine) -> None:
    fridge = next(iter(vendor.fleet.fridges))
    for path in (f"/fridges/{fridge}/commands/close", "/fridges/nowhere/commands/open"):
        answer = await client.post(path)
        assert (answer.status_code, answer.json()) == (404, {"message": "Not found.", "data": None})
    assert await faults(client, f"/fridges/{fridge}/commands/open", {"seconds": 5}) == {"seconds": [UNEXPECTED]}
    assert vendor.fleet.commands == []


async def test_a_command_that_is_sent_twice_is_two_commands(client: httpx2.AsyncClient, vendor: EatMachine) -> None:
    path = f"/fridges/{next(iter(vendor.fleet.fridges))}/commands/open"
    assert (await ask(client, path))["uuid"] != (await ask(client, path))["uuid"]
    assert len(vendor.fleet.commands) == 2


# ---- one world


def test_the_same_seed_gives_the_same_fridges() -> None:
    one, again, other = (EatMachine(World(start=START, now=lambda: START, seed=seed)) for seed in (7, 7, 8))
    assert one.truth() == again.truth()
    assert other.truth()["machines"] != one.truth()["machines"]
    assert len(one.truth()["machines"]) == 20


def test_sales_are_nobodys_to_tell(vendor: EatMachine) -> None:
    """A customer leaves a fridge with fewer tags, and no record but the fridge's own."""
    fridge = next(iter(vendor.fleet.fridges))
    before = vendor.fleet.inside[fridge]
    (told,) = vendor.make_sales(1, machine=fridge)
    assert (told["type"], told["data"]["added"]) == ("inventory", [])
    assert set(before) - set(vendor.fleet.inside[fridge]) == set(told["data"]["removed"]) != set()
    assert len(vendor.make_sales(3)) == 3
    with pytest.raises(KeyError):
        vendor.make_sales(1, machine="nowhere")
    truth = vendor.truth()
    assert [truth[kind] for kind in ("slots", "sales")] == [[], []]


def test_the_account_tells_the_fridges_that_no_list_does(vendor: EatMachine) -> None:
    account = vendor.account("http://127.0.0.1:9000")
    assert account["base_url"] == "http://127.0.0.1:9000/eatmachine"
    assert (account["credentials"], account["webhook"]) == ({"api_key": API_KEY}, {"url_secret": URL_SECRET})
    known = {row["uuid"]: row["name"] for row in vendor.truth()["machines"]}
    assert {row["id"]: row["name"] for row in account["machines"]} == known
    assert len(known) == 10
