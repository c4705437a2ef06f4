"""Fleets and fridges ordered of EatMachine, over the wire, and the reports to an address older than its fridge."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from connectors.base import Secret
from connectors.reaching import Reach
from connectors.reporting import Delivery, Forged
from domain.errors import Unsupported, VendorProtocolError
from domain.estate import CreateFleet, CreateMachine
from domain.facts import Observation, TagLinks
from domain.model import MachineGroup
from domain.orders import Order
from resolvers.secrets import KEPT, Secrets
from sandbox.eatmachine import EatMachine
from tests.conftest import Resolve
from tests.ordering import STRUCK, Struck, failure, ordering
from tests.vendors import TINY, Standing, standing

HERE = "https://graph.example.com/webhooks/acme-fridges"
NOW = datetime(2026, 3, 4, tzinfo=UTC)
FLEET = CreateFleet(name="Lobbies")


def fridge(fleet: str, **more: Any) -> CreateMachine:
    return CreateMachine(group=fleet, place="0f" * 16, **more)


def a_fleet(vendor: Any) -> str:
    found: str = vendor.truth()["machines"][0]["fleet"]["uuid"]
    return found


async def made(it: Standing, order: Order) -> Any:
    return await it.connector.send(await it.connector.prepare(order))


async def test_a_fleet_is_its_name() -> None:
    async with standing("eatmachine", vendor=EatMachine(TINY)) as it:
        taken = await made(it, FLEET)
        sent = it.wire.asked[-1]
        assert (sent.method, sent.path, sent.body) == ("POST", "/eatmachine/fleets", b'{"name":"Lobbies"}')
        assert (taken.done, taken.result["name"], taken.told_once, taken.facts) == (True, "Lobbies", None, ())


async def test_a_fridge_is_its_fleet_and_settings() -> None:
    async with standing("eatmachine", vendor=EatMachine(TINY), webhooks_url=HERE) as it:
        fleet = a_fleet(it.vendor)
        order = fridge(fleet, least_celsius=Decimal(-10), most_celsius=Decimal("7.50"), heartbeat_seconds=60)
        request = await it.connector.prepare(order)
        taken = await it.connector.send(request)
        body = json.loads(it.wire.asked[-1].body)
        url = body["settings"].pop("webhookUrl")
        assert body == {
            "fleet_id": fleet,
            "settings": {"temperatureMinAlert": -10, "temperatureMaxAlert": 7.5, "heartbeatInterval": 60},
        }
        assert url.startswith(f"{HERE}/new-{'0f' * 16}/")
        assert await it.connector.prepare(order) == request
        assert it.connector.shown(request)[2]["settings"]["webhookUrl"] == "***"
        assert isinstance(taken.told_once, Secret)
        assert taken.told_once.reveal() not in repr(taken)
        fact, *bound = taken.facts
        native = taken.result["uuid"]
        place = f"new-{'0f' * 16}"
        assert [one.identity for one in bound] == [f"bound:{place}", f"bound:{place}:{native}"]
        assert isinstance(fact.content, Observation)
        assert (fact.content.alive, fact.content.group) == (None, MachineGroup(id=fleet, name="Offices"))


async def test_without_an_address_there_is_no_fridge() -> None:
    for lacking in ({"webhooks_url": None}, {"webhook": None, "webhooks_url": HERE}):
        async with standing("eatmachine", vendor=EatMachine(TINY), **lacking) as it:
            with pytest.raises(Unsupported):
                await it.connector.prepare(fridge("f"))


@pytest.mark.parametrize(
    ("means", "reach", "good"),
    [
        ("10.0.0.1", Reach.PUBLIC, False),
        ("93.184.216.34 127.0.0.1", Reach.LOCAL, False),
        ("10.0.0.1", Reach.ANYWHERE, True),
        ("93.184.216.34", Reach.PUBLIC, True),
        ("", Reach.PUBLIC, True),
    ],
)
async def test_a_vendor_is_told_of_no_address_in_a_private_network(
    means: str, reach: Reach, good: bool, names: Resolve
) -> None:
    """Of a name that is not known here the vendor may know more."""
    names("graph.example.com", [means] if means else [])
    async with standing("eatmachine", vendor=EatMachine(TINY), webhooks_url=HERE, reach=reach) as it:
        if good:
            assert (await it.connector.prepare(fridge("f"))).body["settings"]["webhookUrl"].startswith(HERE)
            return
        with pytest.raises(Unsupported, match="private network"):
            await it.connector.prepare(fridge("f"))
        assert all(one.path != "/eatmachine/fridges" for one in it.wire.asked)


@pytest.mark.parametrize("path", ["/fleets", "/fridges"])
@pytest.mark.parametrize("struck", STRUCK, ids=str)
async def test_each_way_of_failing_says_whether_it_may_have_been_done(struck: Struck, path: str) -> None:
    async with ordering("eatmachine", webhooks_url=HERE) as it:
        before = len(it.vendor.truth()["machines"])
        error = await it.struck(FLEET if path == "/fleets" else fridge(a_fleet(it.vendor)), struck, path)
    assert (type(error), error.sent) == (struck.error, struck.sent)
    assert len(it.vendor.truth()["machines"]) - before == (struck.done and path == "/fridges")


@pytest.mark.parametrize("answer", [{}, {"data": None}, {"data": {}}, {"data": {"uuid": ""}}, []])
async def test_an_answer_that_names_nothing_leaves_it_open(answer: Any) -> None:
    async with standing("eatmachine", vendor=EatMachine(TINY), webhooks_url=HERE) as it:

        async def instead(request: Request) -> Response | None:
            return None if request.url.path.endswith("/auth/login") else JSONResponse(answer, 201)

        it.wire.instead = instead
        for order in (FLEET, fridge("f")):
            error = await failure(made(it, order))
            assert (type(error), error.sent) == (VendorProtocolError, True)


# ---- reports to such an address -----------------------------------------------------------------------------------


async def address(it: Standing) -> tuple[str, str]:
    """The place and the token of a new fridge's."""
    request = await it.connector.prepare(fridge("f"))
    *_, place, token = request.body["settings"]["webhookUrl"].split("/")
    return place, token


def delivery(place: str, token: str, **body: Any) -> Delivery:
    return Delivery(headers={}, body=json.dumps(body).encode(), received_at=NOW, machine=place, token=token)


async def test_a_report_is_of_the_fridge_that_it_names() -> None:
    async with standing("eatmachine", vendor=EatMachine(TINY), webhooks_url=HERE) as it:
        place, token = await address(it)
        told = delivery(place, token, type="heartbeat", data=None, fridge={"uuid": "F-1"})
        signed = it.connector.verify(told)
        fact, *bound = it.connector.facts(signed, told)
        assert (fact.machine, fact.content.machine) == ("F-1", "F-1")
        assert tuple(one.identity for one in bound) == it.connector.binding(signed, told)
        assert it.connector.binding(signed, told) == (f"bound:{place}", f"bound:{place}:f-1")
        assert it.connector.binding(signed, replace(told, machine="f-1")) is None
        known = it.account.machines[0].id
        for wrong in (
            delivery(place, token[:-1] + "x", type="heartbeat", data=None, fridge={"uuid": "F-1"}),
            delivery(place + "0", token, type="heartbeat", data=None, fridge={"uuid": "F-1"}),
            delivery(place, token, type="heartbeat", data=None, fridge={"uuid": known.upper()}),
        ):
            with pytest.raises(Forged):
                it.connector.verify(wrong)


async def test_a_report_that_names_no_fridge_is_of_none() -> None:
    async with standing("eatmachine", vendor=EatMachine(TINY), webhooks_url=HERE) as it:
        place, token = await address(it)
        product = {"uuid": "p-1", "name": "Banana"}
        told = delivery(place, token, type="product-linked", data=[{"code": "AA"}], product=product)
        (fact,) = it.connector.facts(it.connector.verify(told), told)
        assert (fact.machine, isinstance(fact.content, TagLinks), list(fact.content.tags)) == (None, True, ["aa"])
        told = delivery(place, token, type="heartbeat", data=None)
        assert it.connector.facts(it.connector.verify(told), told) == []
        assert it.connector.binding(it.connector.verify(told), told) is None


# ---- what is told once --------------------------------------------------------------------------------------------


def test_a_secret_is_taken_once_and_forgotten_in_time() -> None:
    clock = [0.0]
    secrets = Secrets(lambda: clock[0])
    secrets.keep("one", Secret("633344a9712fb"))
    secrets.keep("other", Secret("733344a9712fb"))
    found = secrets.take("one")
    assert found is not None
    assert (found.reveal(), secrets.take("one"), secrets.take("none")) == ("633344a9712fb", None, None)
    assert "733344a9712fb" not in repr(vars(secrets))
    clock[0] = KEPT
    assert secrets.take("other") is None
