"""Orders at SmartVend: what reaches the vendor, what is refused before it does, and what is known afterwards."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx2
import orjson
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from structlog.testing import capture_logs

from connectors.acting import ReadsBack, SellsOnOrder, Taken, TakesOrders
from connectors.base import Account
from connectors.guard import Limits, Traffic
from connectors.http import UpstreamRequest, asking, new_client, trace
from connectors.smartvend import SmartVend, connect, parse
from domain.capabilities import Capability
from domain.errors import (
    BadInput,
    VendorError,
    VendorForbidden,
    VendorProtocolError,
    VendorRateLimited,
    VendorRejected,
    VendorUnauthorized,
    VendorUnavailable,
)
from domain.money import Money
from domain.orders import (
    ORDERS,
    DispenseProduct,
    MachineOrder,
    Order,
    PlanogramCell,
    SendDeposit,
    SendRemotePayment,
    SetPrice,
    UpdateConfig,
    UpdatePlanogram,
)
from sandbox import smartvend as emulated
from sandbox.app import create_app
from sandbox.faults import Fault, Kind
from sandbox.server import start
from sandbox.world import World
from tests.connected import fixture
from tests.running import Sandbox
from tests.vendors import BY_NAME, Standing, account_of, standing, whole_span

NOW = datetime.now(UTC).replace(microsecond=0)
MATRIX, UPDATE_MATRIX = "get-controller-matrix", "update-controller-matrix"
CONFIG, UPDATE_CONFIG = "get-controller-config", "update-controller-config"
ACTS = {
    Capability.DISPENSE_PRODUCT,
    Capability.SEND_DEPOSIT,
    Capability.SEND_REMOTE_PAYMENT,
    Capability.COLLECT_CASH,
    Capability.SET_PRICE,
    Capability.UPDATE_PLANOGRAM,
    Capability.UPDATE_CONFIG,
}
CANARY = "canary-71c3"
SOMEWHERE = "5a6d4d99-405d-4cf2-9840-bd718bfab2cb"
SECRETS = ("wp", "ap", "al", "2p", "2l")
Row = dict[str, Any]


def a_vendor() -> emulated.SmartVend:
    return emulated.SmartVend(World(start=NOW, scale=0.1, days=2, now=lambda: NOW))


@pytest.fixture
async def it() -> AsyncIterator[Standing]:
    async with standing("smartvend", vendor=a_vendor()) as it:
        yield it


def euros(amount: str) -> Money:
    return Money(Decimal(amount), "EUR")


def machine(it: Standing, kind: str = "coffee") -> str:
    return next(str(row["id"]) for row in it.vendor.truth()["machines"] if row["type"] == kind)


def matrix(it: Standing, controller: str) -> Row:
    vendor: Any = it.vendor
    return deepcopy(dict(vendor._fleet.matrices[controller]))


def config(it: Standing, controller: str) -> Row:
    return next(deepcopy(row) for row in it.vendor.truth()["configs"] if row["controllerId"] == controller)


def asked(it: Standing) -> list[tuple[str, Any]]:
    """The operations that were asked for, and their bodies."""
    return [(one.path.rpartition("/")[2], orjson.loads(one.body)) for one in it.wire.asked]


async def place(connector: Any, order: Order) -> Taken:
    taken: Taken = await connector.send(await connector.prepare(order))
    return taken


async def refused(it: Standing, order: Order) -> str:
    with pytest.raises(BadInput) as caught:
        await it.connector.prepare(order)
    return caught.value.message


async def failure(told: Any) -> VendorError:
    with pytest.raises(VendorError) as caught:
        await told
    return caught.value


def price(it: Standing, position: int, amount: str, kind: str = "coffee") -> SetPrice:
    controller = machine(it, kind)
    slot = f"{controller}/{position}"
    return SetPrice(machine=controller, slot=slot, position=str(position), price=euros(amount))


# ---- what it can do


async def test_its_roles_are_played_and_its_acts_told(it: Standing) -> None:
    for role in (TakesOrders, SellsOnOrder, ReadsBack):
        assert isinstance(it.connector, role)
    assert it.connector.capabilities & ORDERS.keys() == ACTS
    assert not any(it.connector.refusal(act) for act in ACTS)


@pytest.mark.parametrize("act", [act for act in ORDERS if act not in ACTS])
async def test_what_the_vendor_has_no_request_for_is_bad_input(it: Standing, act: Capability) -> None:
    assert act.value in await refused(it, MachineOrder(kind=act, machine=machine(it)))
    assert it.wire.asked == []


async def test_an_order_of_no_machine_is_none_for_controllers(it: Standing) -> None:
    order = Order(kind=Capability.COLLECT_CASH)
    await refused(it, order)
    assert it.wire.asked == []
    assert not it.connector.shows(order, sold(it.account))


# ---- bodies


@dataclass(frozen=True, slots=True)
class Plain:
    """An order that holds all it takes, and what is sent for it besides the controller."""

    order: Callable[[str], Order]
    operation: str
    body: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.operation}-{len(self.body)}"


PLAIN = (
    Plain(lambda it: DispenseProduct(machine=it, position="7"), "issue-product", {"position": 7}),
    Plain(lambda it: SendDeposit(machine=it, amount=euros("12.5")), "send-deposit-to-controller", {"deposit": 1250}),
    Plain(
        lambda it: SendRemotePayment(machine=it, amount=euros("0.01")),
        "send-remote-payment-to-controller",
        {"amount": 1},
    ),
    Plain(
        lambda it: SendRemotePayment(machine=it, amount=euros("1E+1"), terminal_key="front"),
        "send-remote-payment-to-controller",
        {"amount": 1000, "terminalKey": "front"},
    ),
    Plain(lambda it: MachineOrder(kind=Capability.COLLECT_CASH, machine=it), "create-encashment", {}),
)


@pytest.mark.parametrize("plain", PLAIN, ids=str)
async def test_an_order_that_holds_all_it_takes_is_one_request(it: Standing, plain: Plain) -> None:
    order = plain.order(machine(it))
    request = await it.connector.prepare(order)
    assert it.wire.asked == []
    assert await it.connector.send(request) == Taken(done=True, result={"success": True})
    body = {"controllerId": machine(it), **plain.body}
    assert asked(it) == [(plain.operation, body)]
    assert orjson.loads(it.wire.asked[0].body) == it.vendor.truth()["commands"][-1]
    (one,) = it.wire.asked
    assert (one.method, one.path, one.query) == ("POST", f"/smartvend/v1/{plain.operation}", "")
    assert one.headers["content-type"] == "application/json"
    assert not [value for value in body.values() if isinstance(value, float)]


@pytest.mark.parametrize("plain", PLAIN, ids=str)
async def test_what_is_shown_is_what_is_sent(it: Standing, plain: Plain) -> None:
    request = await it.connector.prepare(plain.order(machine(it)))
    method, path, body = it.connector.shown(request)
    await it.connector.send(request)
    assert [(one.method, one.path.removeprefix("/smartvend/v1"), orjson.loads(one.body)) for one in it.wire.asked] == [
        (method, path, body)
    ]


async def test_an_order_goes_where_the_configuration_moved_it() -> None:
    async with standing("smartvend", endpoints={"issue-product": "PUT /dispense"}) as moved:
        request = await moved.connector.prepare(DispenseProduct(machine=SOMEWHERE, position="1"))
        body = {"controllerId": SOMEWHERE, "position": 1}
        assert moved.connector.shown(request) == ("PUT", "/dispense", body)
        await failure(moved.connector.send(request))
    assert [(one.method, one.path, orjson.loads(one.body)) for one in moved.wire.asked] == [
        ("PUT", "/smartvend/v1/dispense", body)
    ]


async def test_cash_that_is_collected_is_listed(it: Standing) -> None:
    before = it.vendor.truth()["encashments"]
    await place(it.connector, MachineOrder(kind=Capability.COLLECT_CASH, machine=machine(it)))
    after = it.vendor.truth()["encashments"]
    assert [row["controllerId"] for row in after if row not in before] == [machine(it)]


# ---- prices and planograms


@pytest.mark.parametrize("kind", ["coffee", "impulse"])
async def test_a_price_changes_one_cell_and_leaves_all_else_as_it_is(it: Standing, kind: str) -> None:
    before = matrix(it, machine(it, kind))
    order = price(it, before["columnsNumber"] + 2, "3.15", kind)
    assert await it.connector.fulfilled(order) is False
    it.wire.asked.clear()
    assert await place(it.connector, order) == Taken(done=True, result={"success": True})
    expected = deepcopy(before)
    (cell,) = [one for one in expected["products"] if (one["rowNumber"], one["columnNumber"]) == (1, 1)]
    assert cell["price"] != 315
    cell["price"] = 315
    assert asked(it) == [(MATRIX, {"controllerId": machine(it, kind)}), (UPDATE_MATRIX, expected)]
    assert matrix(it, machine(it, kind)) == expected
    assert len(before["resources"]) == 3
    assert await it.connector.fulfilled(order) is True


async def test_what_others_changed_meanwhile_is_kept(it: Standing) -> None:
    """Nothing is remembered: a matrix that was read for the last order is no good for the next."""
    await place(it.connector, price(it, 1, "1.01"))
    await place(it.connector, price(it, 2, "2.02"))
    first, second = matrix(it, machine(it))["products"][:2]
    assert (first["price"], second["price"]) == (101, 202)


async def test_only_what_is_documented_is_sent_back_and_numbers_as_numbers(it: Standing) -> None:
    def loose(answer: Any) -> Any:
        told = answer["result"]["success"]
        if "products" not in told:
            return answer
        cells = [{key: str(value) for key, value in cell.items()} | {"stock": 4} for cell in told["products"]]
        resources = [{**one, "maxRefillQuantity": "2.50", "unit": "g"} for one in told["resources"]]
        told |= {
            "products": cells,
            "resources": resources,
            "columnsNumber": f"{before['columnsNumber']}.0",
            "version": 7,
        }
        return answer

    controller = machine(it)
    before = matrix(it, controller)
    it.wire.rewrite = loose
    await place(it.connector, price(it, 1, "9.99"))
    body = asked(it)[-1][1]
    assert body.keys() == before.keys() == {"id", "columnsNumber", "rowsNumber", "products", "resources"}
    assert body["products"] == [before["products"][0] | {"price": 999}, *before["products"][1:]]
    assert body["resources"] == [
        {"resourceId": one["resourceId"], "maxRefillQuantity": 2.5} for one in before["resources"]
    ]
    assert (body["columnsNumber"], type(body["columnsNumber"])) == (before["columnsNumber"], int)


def without(*path: Any) -> Callable[[Any], None]:
    def change(told: Any) -> None:
        for step in path[:-1]:
            told = told[step]
        del told[path[-1]]

    return change


def saying(name: str, value: Any) -> Callable[[Any], None]:
    def change(told: Any) -> None:
        told[name] = value

    return change


@pytest.mark.parametrize(
    "change",
    [
        without("id"),
        without("resources"),
        without("products"),
        without("columnsNumber"),
        without("rowsNumber"),
        without("products", 3, "price"),
        without("products", 3, "rowNumber"),
        without("resources", 0, "resourceId"),
        without("resources", 0, "maxRefillQuantity"),
        saying("resources", None),
        saying("products", {}),
        saying("products", [None]),
        saying("columnsNumber", "many"),
        saying("rowsNumber", None),
    ],
)
async def test_a_matrix_that_cannot_be_sent_back_whole_is_not_sent_back(
    it: Standing, change: Callable[[Any], None]
) -> None:
    def lacking(answer: Any) -> Any:
        change(answer["result"]["success"])
        return answer

    before = matrix(it, machine(it))
    it.wire.rewrite = lacking
    assert type(await failure(it.connector.prepare(price(it, 1, "9.99")))) is VendorProtocolError
    assert [operation for operation, _ in asked(it)] == [MATRIX]
    assert matrix(it, machine(it)) == before


async def test_a_slot_that_is_not_in_the_matrix_has_no_price(it: Standing) -> None:
    size = matrix(it, machine(it))
    last = size["columnsNumber"] * size["rowsNumber"]
    assert str(last + 1) in await refused(it, price(it, last + 1, "1"))
    await it.connector.prepare(price(it, last, "1"))
    assert await it.connector.fulfilled(price(it, last + 1, "1")) is False


async def test_where_two_cells_are_in_one_place_neither_gets_a_price(it: Standing) -> None:
    def doubled(answer: Any) -> Any:
        told = answer["result"]["success"]
        told["products"] += [told["products"][0]]
        return answer

    it.wire.rewrite = doubled
    assert "1" in await refused(it, price(it, 1, "1"))


@pytest.mark.parametrize("times", [{"valid_from": NOW}, {"valid_to": NOW}])
async def test_a_price_has_no_times(it: Standing, times: Any) -> None:
    assert "no times" in await refused(it, replace(price(it, 1, "1"), **times))
    assert it.wire.asked == []


def planogram(controller: str, *cells: tuple[int, int, str | None, str], rows: int = 2, columns: int = 3) -> Order:
    found = [
        PlanogramCell(row=row, column=column, product=product, price=euros(cost))
        for row, column, product, cost in cells
    ]
    return UpdatePlanogram(machine=controller, rows=rows, columns=columns, cells=found)


async def test_a_planogram_replaces_all_cells_and_keeps_what_they_are_refilled_from(it: Standing) -> None:
    controller, product = machine(it), it.vendor.truth()["products"][0]["id"]
    before = matrix(it, controller)
    order = planogram(controller, (1, 2, product, "1.50"), (0, 0, product, "0"))
    assert await it.connector.fulfilled(order) is False
    it.wire.asked.clear()
    assert (await place(it.connector, order)).done
    expected = {
        "id": before["id"],
        "columnsNumber": 3,
        "rowsNumber": 2,
        "products": [
            {"columnNumber": 2, "rowNumber": 1, "price": 150, "productId": product},
            {"columnNumber": 0, "rowNumber": 0, "price": 0, "productId": product},
        ],
        "resources": before["resources"],
    }
    assert asked(it) == [(MATRIX, {"controllerId": controller}), (UPDATE_MATRIX, expected)]
    assert await it.connector.fulfilled(order) is True
    again = planogram(controller, (0, 0, product, "0"), (1, 2, product, "1.50"))
    assert await it.connector.fulfilled(again) is True  # in whatever order the cells are named
    for other in (
        planogram(controller, (1, 2, product, "1.50")),
        planogram(controller, (1, 2, product, "1.51"), (0, 0, product, "0")),
        planogram(controller, (1, 1, product, "1.50"), (0, 0, product, "0")),
        planogram(controller, (1, 2, SOMEWHERE, "1.50"), (0, 0, product, "0")),
        planogram(controller, (1, 2, product, "1.50"), (0, 0, product, "0"), rows=3),
    ):
        assert await it.connector.fulfilled(other) is False


async def test_an_impulse_machine_has_cells_without_a_product_and_no_other_machine_has(it: Standing) -> None:
    controller = machine(it, "impulse")
    order = planogram(controller, (0, 1, None, "0.90"), rows=1, columns=2)
    await place(it.connector, order)
    assert matrix(it, controller)["products"] == [{"columnNumber": 1, "rowNumber": 0, "price": 90, "productId": None}]
    assert await it.connector.fulfilled(order) is True
    assert [operation for operation, _ in asked(it)][:3] == ["get-list-of-controllers", MATRIX, UPDATE_MATRIX]
    it.wire.asked.clear()
    for other in (machine(it), SOMEWHERE):
        assert "impulse" in await refused(it, planogram(other, (0, 1, None, "0.90")))
    assert [operation for operation, _ in asked(it)] == ["get-list-of-controllers"] * 2


# ---- config


async def test_of_a_config_only_what_differs_is_sent(it: Standing) -> None:
    controller = machine(it)
    before = config(it, controller)
    settings = {"re": True, "2c": "EUR", "sm": 100, "td": "0630", "wn": "office", "mv": False, "2t": 30.5, "3a": ""}
    order = UpdateConfig(machine=controller, settings=settings)
    assert await it.connector.fulfilled(order) is False
    it.wire.asked.clear()
    assert await place(it.connector, order) == Taken(done=True, result={"success": True})
    changed = {"re": True, "td": "0630", "mv": False, "2t": 30.5, "3a": ""}
    body = {"type": "coffee", "controllerConfigId": before["controllerConfigId"], "config": changed}
    assert asked(it) == [(CONFIG, {"controllerId": controller}), (UPDATE_CONFIG, body)]
    assert before["controllerConfigId"] != controller
    assert config(it, controller)["config"] == before["config"] | changed
    assert await it.connector.fulfilled(order) is True


async def test_the_type_of_a_config_is_what_the_vendor_says_it_is(it: Standing) -> None:
    await place(it.connector, UpdateConfig(machine=machine(it, "impulse"), settings={"re": True}))
    assert asked(it)[-1][1]["type"] == "impulse"


async def test_what_is_so_already_is_not_sent_again(it: Standing) -> None:
    before = config(it, machine(it))["config"]
    assert "nothing to change" in await refused(it, UpdateConfig(machine=machine(it), settings=before))
    assert [operation for operation, _ in asked(it)] == [CONFIG]


async def test_what_is_held_may_be_told_in_other_forms(it: Standing) -> None:
    def loose(answer: Any) -> Any:
        answer["result"]["success"]["config"] |= {"sm": "100.0", "hp": 8080, "re": 0, "bm": True, "em": "x"}
        return answer

    it.wire.rewrite = loose
    settings = {"sm": 100, "hp": "8080", "re": False, "bm": 1, "em": 5}
    request = await it.connector.prepare(UpdateConfig(machine=machine(it), settings=settings))
    assert request.body["config"] == {"re": False, "bm": 1, "em": 5}


@pytest.mark.parametrize("key", ["controllerConfigId", "type", "config"])
@pytest.mark.parametrize("value", [None, [], "tea"])
async def test_a_config_that_cannot_be_read_is_not_changed(it: Standing, key: str, value: Any) -> None:
    if (key, value) == ("controllerConfigId", "tea"):
        value = ""

    def broken(answer: Any) -> Any:
        answer["result"]["success"][key] = value
        return answer

    it.wire.rewrite = broken
    order = UpdateConfig(machine=machine(it), settings={"re": True})
    assert type(await failure(it.connector.prepare(order))) is VendorProtocolError


UNFIT: Sequence[tuple[str, Any]] = (
    ("re", 1),
    ("re", "true"),
    ("re", None),
    ("sm", "100"),
    ("sm", True),
    ("sm", float("nan")),
    ("sm", float("inf")),
    ("sm", 10**400),
    ("sm", 2**53),
    ("sm", None),
    ("2c", 978),
    ("td", "06:30"),
    ("td", "2460"),
    ("td", "ffff"),
    ("td", 630),
    ("wp", 12345678),
    ("wp", ["x"]),
    ("wp", None),
    ("telemetry", 1),
    ("RE", True),
    ("", 1),
)


@pytest.mark.parametrize(("key", "value"), UNFIT)
async def test_a_key_that_is_not_documented_or_of_another_type_is_named_and_costs_nothing(
    it: Standing, key: str, value: Any
) -> None:
    said = await refused(it, UpdateConfig(machine=machine(it), settings={"in": True, key: value}))
    assert said.startswith(f"{key} ")
    assert it.wire.asked == []


async def test_every_documented_key_is_taken(it: Standing) -> None:
    switches = dict.fromkeys(("re", "in", "hl", "bp", "qr", "2f", "vg", "vl", "da", "mv", "co", "1l", "1t", "1w"), True)
    numbers = dict.fromkeys(("sm", "bm", "em", "cd", "qt", "2a", "2t", "vt", "vr", "ti", "tg", "fc", "sp"), 7)
    texts = dict.fromkeys(("2c", "2r", "2l", "2p", "wf", "wn", "wp", "wt", "an", "al", "ap", "sa"), "x")
    texts |= dict.fromkeys(("ha", "hp", "1a", "3a", "3p"), "y") | {"td": "2359"}
    settings = {**switches, **numbers, **texts}
    await place(it.connector, UpdateConfig(machine=machine(it), settings=settings))
    assert config(it, machine(it))["config"] == settings
    assert len(settings) == 45


# ---- refusals that cost nothing


BAD_AMOUNTS = [
    *(euros(amount) for amount in ("0", "-0.00", "-1", "1.005", "0.001", "NaN", "sNaN", "Infinity", "1E+99", "1E-99")),
    euros("1.00000000000000000000000000000001"),
    euros(f"{2**53}"),
    Money(Decimal(5), "USD"),
    Money(Decimal(5), "eur"),
]


@pytest.mark.parametrize("amount", BAD_AMOUNTS, ids=str)
async def test_an_amount_is_exact_above_zero_and_in_the_accounts_currency(it: Standing, amount: Money) -> None:
    await refused(it, SendDeposit(machine=machine(it), amount=amount))
    await refused(it, SendRemotePayment(machine=machine(it), amount=amount))
    assert it.wire.asked == []


@pytest.mark.parametrize("amount", [one for one in BAD_AMOUNTS if one.amount.is_nan() or one.amount != 0], ids=str)
async def test_a_price_is_exact_and_in_the_accounts_currency(it: Standing, amount: Money) -> None:
    await refused(it, SetPrice(machine=machine(it), slot="1", position="1", price=amount))
    cells = [PlanogramCell(row=0, column=0, product=SOMEWHERE, price=amount)]
    await refused(it, UpdatePlanogram(machine=machine(it), rows=1, columns=1, cells=cells))
    assert it.wire.asked == []


@pytest.mark.parametrize("position", ["", "0", "-1", "+1", "1.0", "1e2", " 1", "01", "A1", "\u0661", "9" * 30])
async def test_a_position_is_a_number_as_the_slot_has_it(it: Standing, position: str) -> None:
    await refused(it, DispenseProduct(machine=machine(it), position=position))
    await refused(it, SetPrice(machine=machine(it), slot="1", position=position, price=euros("1")))
    assert it.wire.asked == []


@pytest.mark.parametrize(
    "order",
    [
        planogram(SOMEWHERE, rows=0),
        planogram(SOMEWHERE, columns=0),
        planogram(SOMEWHERE, (2, 0, SOMEWHERE, "1")),
        planogram(SOMEWHERE, (0, 3, SOMEWHERE, "1")),
        planogram(SOMEWHERE, (-1, 0, SOMEWHERE, "1")),
        planogram(SOMEWHERE, (0, -1, SOMEWHERE, "1")),
        planogram(SOMEWHERE, (1, 1, SOMEWHERE, "1"), (0, 0, SOMEWHERE, "1"), (1, 1, SOMEWHERE, "2")),
        UpdateConfig(machine=SOMEWHERE, settings={}),
        SendRemotePayment(machine=SOMEWHERE, amount=euros("1"), terminal_key="\ud800"),
    ],
)
async def test_what_makes_no_sense_is_bad_input(it: Standing, order: Order) -> None:
    await refused(it, order)
    assert it.wire.asked == []


# ---- secrets


async def repeats(request: Request) -> Response:
    """A vendor that says in its refusal all that it was sent."""
    said = (await request.body()).decode()
    return JSONResponse({"message": said, "code": said}, 409)


async def repeats_within(request: Request) -> Response:
    said = (await request.body()).decode()
    return JSONResponse({"id": "1", "result": {"$case": "error", "error": {"message": said, "code": said}}})


async def repeats_gladly(request: Request) -> Response:
    body = orjson.loads(await request.body())
    member = {"success": True, "message": repr(body), "config": body["config"]}
    return JSONResponse({"id": "1", "result": {"$case": "success", "success": member}})


@pytest.mark.parametrize("key", SECRETS)
@pytest.mark.parametrize("answer", [None, repeats, repeats_within, repeats_gladly])
async def test_a_secret_of_a_config_reaches_the_vendor_and_nobody_else(it: Standing, key: str, answer: Any) -> None:
    order = UpdateConfig(machine=machine(it), settings={key: CANARY, "wn": "guests"})
    request = await it.connector.prepare(order)
    body = {**request.body, "config": {key: "***", "wn": "guests"}}
    assert it.connector.shown(request) == ("POST", f"/{UPDATE_CONFIG}", body)
    it.wire.instead = answer
    with capture_logs() as logs:
        try:
            said = repr(await it.connector.send(request))
        except VendorRejected as error:
            said = repr(error.__dict__) + str(error.__cause__) + str(error.__context__)
    assert asked(it)[-1][1]["config"] == {key: CANARY, "wn": "guests"}
    assert CANARY not in said + repr(logs) + repr(it.connector.guard.last_error)
    if answer is None:
        assert await it.connector.fulfilled(order) is True
        assert await it.connector.fulfilled(UpdateConfig(machine=machine(it), settings={key: "other"})) is False


async def test_without_a_secret_the_vendors_words_are_told(it: Standing) -> None:
    async def no(_: Request) -> Response:
        return JSONResponse({"message": "the pulse is too dear"}, 400)

    request = await it.connector.prepare(UpdateConfig(machine=machine(it), settings={"sm": 900}))
    it.wire.instead = no
    assert "the pulse is too dear" in (await failure(it.connector.send(request))).message


async def test_a_secret_of_the_wrong_type_is_not_repeated(it: Standing) -> None:
    assert "71" not in await refused(it, UpdateConfig(machine=machine(it), settings={"wp": 713713}))


@pytest.mark.parametrize("hidden", ["***", "••••••••", "", None])
async def test_a_secret_that_the_vendor_hides_cannot_be_read_back(it: Standing, hidden: str | None) -> None:
    def hiding(answer: Any) -> Any:
        told = answer["result"]["success"]
        if "config" in told:
            told["config"]["wp"] = hidden
        return answer

    it.wire.rewrite = hiding
    both = {"wp": CANARY, "sm": 300}
    order = UpdateConfig(machine=machine(it), settings=both)
    assert await it.connector.fulfilled(order) is False  # by what can be seen
    await place(it.connector, order)
    assert asked(it)[-1][1]["config"] == both
    assert await it.connector.fulfilled(order) is None
    assert await it.connector.fulfilled(UpdateConfig(machine=machine(it), settings={"sm": 300})) is True


async def test_what_the_vendor_does_not_tell_of_a_config_cannot_be_read_back(it: Standing) -> None:
    assert await it.connector.fulfilled(UpdateConfig(machine=machine(it), settings={"ha": "loyal.example"})) is None


# ---- what is known afterwards


ORDER: Mapping[str, Callable[[str], Order]] = {plain.operation: plain.order for plain in PLAIN}
NO_RESULTS: Sequence[Any] = (
    {"$case": "success", "success": {"success": False}},
    {"$case": "success", "success": {"success": None}},
    {"$case": "success", "success": {"success": "true"}},
    {"$case": "success", "success": {"success": 1}},
    {"$case": "success", "success": {}},
    {"$case": "success", "success": True},
    {"$case": "success", "success": None},
    {"$case": "success", "success": []},
    {"$case": "success"},
    {"$case": None},
    {"$case": ""},
    {"$case": 5, "error": {"message": "no"}},
    {},
    [],
    None,
)


@pytest.mark.parametrize("operation", ORDER)
@pytest.mark.parametrize("result", NO_RESULTS, ids=repr)
async def test_an_answer_that_does_not_say_that_it_was_done_leaves_it_open(
    it: Standing, operation: str, result: Any
) -> None:
    async def unclear(_: Request) -> Response:
        return JSONResponse({"id": "1", "result": result})

    it.wire.instead = unclear
    error = await failure(place(it.connector, ORDER[operation](machine(it))))
    assert (type(error), error.sent) == (VendorProtocolError, True)
    assert [name for name, _ in asked(it)] == [operation]


@pytest.mark.parametrize("status", [200, 201, 202])
@pytest.mark.parametrize("content", [b"", b"null", b'"ok"', b"{}", b"[]"])
async def test_an_answer_without_a_result_leaves_it_open(it: Standing, status: int, content: bytes) -> None:
    async def bare(_: Request) -> Response:
        return Response(content, status, media_type="application/json")

    it.wire.instead = bare
    error = await failure(place(it.connector, ORDER["issue-product"](machine(it))))
    assert (type(error), error.sent, len(it.wire.asked)) == (VendorProtocolError, True, 1)


async def test_what_else_an_answer_says_is_kept_less_what_is_secret(it: Standing) -> None:
    async def wordy(_: Request) -> Response:
        member = {"success": True, "ticket": 7, "config": {"wp": CANARY, "wn": "office"}}
        return JSONResponse({"id": "1", "result": {"$case": "success", "success": member}})

    it.wire.instead = wordy
    taken = await place(it.connector, ORDER["issue-product"](machine(it)))
    assert taken.result == {"success": True, "ticket": 7, "config": {"wn": "office"}}


async def test_another_case_is_the_vendors_refusal(it: Standing) -> None:
    for order in (
        DispenseProduct(machine=machine(it), position="999"),
        SendDeposit(machine=SOMEWHERE, amount=euros("1")),
        planogram(machine(it), (0, 0, SOMEWHERE, "1")),
    ):
        assert type(await failure(place(it.connector, order))) is VendorRejected
    assert it.vendor.truth()["commands"] == []


async def test_a_body_that_the_vendor_calls_wrong_is_its_refusal_too(it: Standing) -> None:
    error = await failure(place(it.connector, DispenseProduct(machine="not-a-uuid", position="1")))
    assert type(error) is VendorRejected
    assert "controllerId must be a UUID" in error.message


async def test_orders_may_spend_what_is_kept_from_queries() -> None:
    limits = Limits(requests=10, per_seconds=3600, reserve=0.3)
    async with standing("smartvend", vendor=a_vendor(), limits=limits) as it:
        for _ in range(7):
            await it.connector.machines()
        assert type(await failure(it.connector.machines())) is VendorRateLimited
        asking.set(Traffic.COMMAND)  # as whoever sends says
        await place(it.connector, price(it, 1, "1"))
        await place(it.connector, ORDER["create-encashment"](machine(it)))
        error = await failure(place(it.connector, ORDER["create-encashment"](machine(it))))
    assert (type(error), error.sent, len(it.wire.asked)) == (VendorRateLimited, False, 10)


# ---- what goes wrong on the way


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """`done`: whether the vendor did all the same; `lasting`: until the deadline."""

    kind: Kind
    error: type[VendorError]
    status: int = 503
    sent: bool = True
    done: bool = False
    wait: str | None = None
    lasting: bool = False

    def __str__(self) -> str:
        return f"{self.kind}-{self.status}-{self.wait}" if self.kind == "status" else self.kind


WRONG = (
    Wrong(kind="status", status=400, error=VendorRejected),
    Wrong(kind="status", status=401, error=VendorUnauthorized),
    Wrong(kind="status", status=403, error=VendorForbidden),
    Wrong(kind="status", status=404, error=VendorRejected),
    Wrong(kind="status", status=408, error=VendorUnavailable),
    Wrong(kind="status", status=409, error=VendorRejected),
    Wrong(kind="status", status=429, error=VendorRateLimited, sent=False),
    Wrong(kind="status", status=429, error=VendorRateLimited, sent=False, wait="0"),
    Wrong(kind="status", status=500, error=VendorUnavailable),
    Wrong(kind="status", status=502, error=VendorUnavailable),
    Wrong(kind="status", status=503, error=VendorUnavailable, wait="0"),
    Wrong(kind="redirect", error=VendorProtocolError),
    Wrong(kind="junk", error=VendorProtocolError),
    Wrong(kind="html", error=VendorProtocolError),
    Wrong(kind="empty", error=VendorProtocolError),
    Wrong(kind="deep", error=VendorProtocolError),
    Wrong(kind="huge", error=VendorProtocolError),
    Wrong(kind="reset", error=VendorUnavailable),
    Wrong(kind="truncate", error=VendorProtocolError, done=True),
    Wrong(kind="hang_before", error=VendorUnavailable, lasting=True),
    Wrong(kind="hang_after", error=VendorUnavailable, lasting=True, done=True),
    Wrong(kind="trickle", error=VendorUnavailable, lasting=True, done=True),
)


@pytest.fixture(scope="module")
def shared_sandbox() -> Iterator[Sandbox]:
    app = create_app(vendors=[a_vendor()])
    with start(app) as server:
        yield Sandbox(server.base, app)


@pytest.fixture
def sent() -> Iterator[list[UpstreamRequest]]:
    """What went over the wire, as it is known here: the sandbox logs what was cut off a little later."""
    found: list[UpstreamRequest] = []
    before = trace.set(found)
    yield found
    trace.reset(before)


async def done_as_often(sandbox: Sandbox, count: int) -> bool:
    """Whoever hung up does not know when the vendor is through."""
    for _ in range(1000):
        if len(sandbox.truth("smartvend")["commands"]) >= count:
            break
        await asyncio.sleep(0.01)
    return len(sandbox.truth("smartvend")["commands"]) == count


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    async with new_client() as client:
        yield client


def connected(sandbox: Sandbox, client: httpx2.AsyncClient, deadline: float = 5.0, **changed: Any) -> SmartVend:
    limits = Limits(timeout_seconds=deadline)
    vendor = sandbox.vendors["smartvend"]
    account = account_of(BY_NAME["smartvend"], vendor, base=sandbox.base, **({"limits": limits} | changed))
    connector = connect(account, client)
    connector.guard.random = lambda: 0.0
    return connector


def online(sandbox: Sandbox) -> str:
    return str(sandbox.truth("smartvend")["machines"][0]["id"])


@pytest.mark.parametrize("wrong", WRONG, ids=str)
@pytest.mark.parametrize("operation", ORDER)
async def test_whatever_goes_wrong_it_is_sent_once_and_what_is_not_known_is_not_said(
    sandbox: Sandbox, client: httpx2.AsyncClient, sent: list[UpstreamRequest], operation: str, wrong: Wrong
) -> None:
    connector = connected(sandbox, client, deadline=0.5 if wrong.lasting else 5.0)
    headers = {} if wrong.wait is None else {"retry-after": wrong.wait}
    controls = sandbox.app.state.controls
    controls.faults.append(Fault(vendor="smartvend", kind=wrong.kind, status=wrong.status, headers=headers))
    before = len(sandbox.truth("smartvend")["commands"])
    error = await failure(place(connector, ORDER[operation](online(sandbox))))
    assert (type(error), error.sent) == (wrong.error, wrong.sent)
    assert (error.account, error.vendor) == ("acme-coffee", "smartvend")
    assert await done_as_often(sandbox, before + wrong.done)
    assert [one.operation for one in sent] == [operation]


@pytest.mark.parametrize("wrong", [one for one in WRONG if not one.lasting], ids=str)
async def test_what_is_read_for_an_order_may_fail_and_nothing_is_sent(
    sandbox: Sandbox, client: httpx2.AsyncClient, sent: list[UpstreamRequest], wrong: Wrong
) -> None:
    connector = connected(sandbox, client)
    fault = Fault(vendor="smartvend", kind=wrong.kind, status=wrong.status, operation=MATRIX)
    sandbox.app.state.controls.faults.append(fault)
    order = SetPrice(machine=online(sandbox), slot="1", position="1", price=euros("1"))
    assert type(await failure(connector.prepare(order))) is wrong.error
    assert {one.operation for one in sent} == {MATRIX}


async def test_a_read_for_an_order_is_tried_again_as_any_read(
    sandbox: Sandbox, client: httpx2.AsyncClient, sent: list[UpstreamRequest]
) -> None:
    connector = connected(sandbox, client)
    sandbox.break_("smartvend", "status", status=503, times=1)
    order = SetPrice(machine=online(sandbox), slot="1", position="1", price=euros("4.56"))
    await place(connector, order)
    assert [one.operation for one in sent] == [MATRIX, MATRIX, UPDATE_MATRIX]


async def test_a_vendor_that_cannot_be_reached_was_sent_nothing(sandbox: Sandbox, client: httpx2.AsyncClient) -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))  # and nobody answers there
        base = f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
        connector = connected(sandbox, client, base_url=base)
        error = await failure(place(connector, ORDER["issue-product"](online(sandbox))))
        assert (type(error), error.sent) == (VendorUnavailable, False)


async def test_an_account_that_is_left_alone_is_sent_nothing(
    sandbox: Sandbox, client: httpx2.AsyncClient, sent: list[UpstreamRequest]
) -> None:
    connector = connected(sandbox, client)
    sandbox.break_("smartvend", "status", status=401, times=1)
    order = ORDER["issue-product"](online(sandbox))
    assert (await failure(place(connector, order))).sent is True
    error = await failure(place(connector, order))
    assert (type(error), error.sent, len(sent)) == (VendorUnauthorized, False, 1)


async def test_what_was_done_without_an_answer_is_read_back(sandbox: Sandbox, client: httpx2.AsyncClient) -> None:
    connector = connected(sandbox, client)
    controller = online(sandbox)
    for order, operation in (
        (SetPrice(machine=controller, slot="2", position="2", price=euros("7.89")), UPDATE_MATRIX),
        (UpdateConfig(machine=controller, settings={"re": True, "wp": CANARY}), UPDATE_CONFIG),
    ):
        sandbox.break_("smartvend", "truncate", operation=operation, times=1)
        assert await connector.fulfilled(order) is False
        error = await failure(place(connector, order))
        assert (type(error), error.sent) == (VendorProtocolError, True)
        assert await connector.fulfilled(order) is True


# ---- sales that show it


@pytest.mark.parametrize("kind", [SendDeposit, SendRemotePayment])
async def test_money_that_was_sent_is_shown_by_the_sale_that_it_paid(it: Standing, kind: Any) -> None:
    order = kind(machine=machine(it), amount=euros("9.00"))
    vendor: Any = it.vendor
    await place(it.connector, order)
    (paid,) = vendor.make_sales(1, machine=machine(it))
    sales = (await it.connector.sales(whole_span(), 10**6, None)).items
    assert [sale.vendor_id for sale in sales if it.connector.shows(order, sale)] == [paid["saleId"]]
    other = SendRemotePayment if kind is SendDeposit else SendDeposit
    for unlike in (
        kind(machine=machine(it), amount=euros("9.01")),
        kind(machine=machine(it), amount=Money(Decimal(9), "USD")),
        kind(machine=machine(it, "impulse"), amount=euros("9.00")),
        other(machine=machine(it), amount=euros("9.00")),
    ):
        assert not any(it.connector.shows(unlike, sale) for sale in sales)


def sold(account: Account, **changed: Any) -> Any:
    return parse.sale(account, {**fixture("smartvend/sale"), **changed})


async def test_a_product_that_was_dispensed_is_shown_by_a_line_at_its_position(it: Standing) -> None:
    controller = fixture("smartvend/sale")["controllerId"]
    order = DispenseProduct(machine=controller, position="1")
    shows = it.connector.shows
    assert shows(order, sold(it.account))
    assert shows(order, sold(it.account, products=[{"name": "Espresso", "quantity": 1, "position": 1.0}]))
    assert not shows(order, sold(it.account, controllerId=SOMEWHERE[::-1]))
    assert not shows(order, sold(it.account, controllerId=None))
    assert not shows(order, sold(it.account, products=[]))
    assert not shows(DispenseProduct(machine=controller, position="2"), sold(it.account))


async def test_a_part_of_a_payment_counts_and_a_word_without_an_amount_does_not(it: Standing) -> None:
    controller = fixture("smartvend/sale")["controllerId"]
    order = SendDeposit(machine=controller, amount=euros("2"))
    assert it.connector.shows(order, sold(it.account, bill="300", remoteDeposit="200"))
    nothing = dict.fromkeys(("bill", "coin", "digital", "remotePayment", "remoteDeposit"), "0")
    assert not it.connector.shows(order, sold(it.account, **nothing, paymentTypes=["remote-deposit"]))


async def test_a_sale_shows_nothing_of_other_orders(it: Standing) -> None:
    controller = fixture("smartvend/sale")["controllerId"]
    for order in (
        MachineOrder(kind=Capability.COLLECT_CASH, machine=controller),
        SetPrice(machine=controller, slot="1", position="1", price=euros("1.50")),
        UpdateConfig(machine=controller, settings={"re": True}),
    ):
        assert not it.connector.shows(order, sold(it.account))


@pytest.mark.parametrize("plain", PLAIN, ids=str)
async def test_what_cannot_be_read_back_is_not_read(it: Standing, plain: Plain) -> None:
    assert await it.connector.fulfilled(plain.order(machine(it))) is None
    assert it.wire.asked == []
