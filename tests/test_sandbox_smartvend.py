"""The emulated SmartVend, called as a connector would call it."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from sandbox.smartvend import ORGANIZATION_KEY, SmartVend
from sandbox.world import World

START = datetime(2026, 3, 4, 15, 6, 7, tzinfo=UTC)
NOW = int(START.timestamp())
ALL = {"from": 0, "to": NOW}
NOBODY = "00000000-0000-4000-8000-000000000000"
COMMON = {
    "controllerId", "controllerHumanName", "controllerSerialNumber", "controllerType", "controllerLocation",
    "controllerNameForReport", "controllerCity", "controllerTimezone", "createdAt", "controllerCreatedAt",
}  # fmt: skip
SALE = COMMON | {
    "saleId", "insertedMoney", "bill", "coin", "digital", "remotePayment", "remoteDeposit", "paymentTypes", "quantity",
    "totalPrice", "income", "balance", "change", "products",
}  # fmt: skip
EVENT = COMMON | {"id", "tag", "code", "localizeKey", "source", "status", "level"}
MONEY = ("bill", "coin", "digital", "remotePayment", "remoteDeposit")


class Clock:
    def __init__(self) -> None:
        self.moment = START

    def __call__(self) -> datetime:
        return self.moment


def client_of(vendor: SmartVend) -> httpx2.AsyncClient:
    app = Starlette(routes=[Mount("/smartvend", routes=vendor.routes())])
    return httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=app),
        base_url="http://sandbox/smartvend/v1",
        headers={"x-organization-key": ORGANIZATION_KEY},
    )


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def vendor(clock: Clock) -> SmartVend:
    return SmartVend(World(start=START, scale=0.1, now=clock))


@pytest.fixture
async def client(vendor: SmartVend) -> AsyncIterator[httpx2.AsyncClient]:
    async with client_of(vendor) as client:
        yield client


async def ask(client: httpx2.AsyncClient, operation: str, **body: Any) -> Any:
    """The `success` member."""
    answer = await client.post(f"/{operation}", json=body)
    assert answer.status_code == 200, answer.text
    whole = answer.json()
    assert whole.keys() == {"id", "result"}
    assert whole["result"].keys() == {"$case", "success"}, whole
    assert whole["result"]["$case"] == "success"
    return whole["result"]["success"]


async def refused(client: httpx2.AsyncClient, operation: str, **body: Any) -> str:
    """The words of a refusal, which is HTTP 200 with another case."""
    answer = await client.post(f"/{operation}", json=body)
    result = answer.json()["result"]
    assert (answer.status_code, result["$case"]) == (200, "error"), answer.text
    assert result["error"].keys() == {"message", "code"}
    return str(result["error"]["message"])


async def malformed(client: httpx2.AsyncClient, operation: str, body: Any) -> str:
    answer = await client.post(f"/{operation}", json=body)
    assert (answer.status_code, answer.json().keys()) == (400, {"message"}), answer.text
    return str(answer.json()["message"])


def asking(**changed: Any) -> dict[str, Any]:
    return {"pagination": {"currentPage": 1, "perPage": 1000}, "dateRange": ALL, "filters": {}} | changed


def some(vendor: SmartVend, kind: str) -> str:
    """A controller of this kind."""
    return next(str(row["id"]) for row in vendor.truth()["machines"] if row["type"] == kind)


def ids(rows: list[dict[str, Any]], key: str = "saleId") -> list[str]:
    return sorted(row[key] for row in rows)


# ---- who asks, and how


async def test_a_wrong_key_or_none_is_unauthorized(client: httpx2.AsyncClient) -> None:
    for key in ("other", "", "é"):
        headers = {b"x-organization-key": key.encode()}
        answer = await client.post("/get-list-of-controllers", json={}, headers=headers)
        assert (answer.status_code, answer.json()) == (401, {"message": "Unauthorized"})
    del client.headers["x-organization-key"]
    assert (await client.post("/get-list-of-controllers", json={})).status_code == 401


async def test_everything_is_a_post_at_the_operations_name(client: httpx2.AsyncClient) -> None:
    assert (await client.get("/get-list-of-controllers")).status_code == 405
    for path in ("/get-list-of-controllers/", "/controllers", "/getListOfControllers"):
        assert (await client.post(path, json={})).status_code == 404


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b'"x"', b"\xff"])
async def test_a_body_that_is_no_object_is_broken(client: httpx2.AsyncClient, content: bytes) -> None:
    answer = await client.post("/get-list-of-controllers", content=content)
    assert (answer.status_code, answer.json().keys()) == (400, {"message"})


async def test_controllers_take_any_object(client: httpx2.AsyncClient) -> None:
    plain = await ask(client, "get-list-of-controllers")
    assert await ask(client, "get-list-of-controllers", filters={}, anything=[1]) == plain


# ---- the shapes


async def test_lists_are_the_truth_in_the_documented_shapes(client: httpx2.AsyncClient, vendor: SmartVend) -> None:
    truth = vendor.truth()
    assert (await ask(client, "get-list-of-controllers"))["items"] == truth["machines"]
    assert (await ask(client, "get-list-of-products"))["items"] == truth["products"]
    assert (await ask(client, "get-dictionary-of-events", language="en"))["items"] == truth["dictionary"]
    sales = (await ask(client, "get-list-of-sales", **asking()))["items"]
    events = (await ask(client, "get-list-of-events", **asking()))["items"]
    assert ids(sales) == ids(truth["sales"])
    assert ids(events, "id") == ids(truth["events"], "id")
    assert all(row.keys() == SALE for row in sales)
    assert all(row.keys() == EVENT for row in events)
    assert len(truth["machines"]) == 6


async def test_money_is_cents_as_text_in_sales_and_as_numbers_in_a_matrix(
    client: httpx2.AsyncClient, vendor: SmartVend
) -> None:
    sales = vendor.truth()["sales"]
    for row in sales:
        assert all(row[name].isdecimal() for name in (*MONEY, "insertedMoney", "totalPrice", "income", "change"))
        assert int(row["insertedMoney"]) == sum(int(row[name]) for name in MONEY)
        assert row["quantity"] == sum(line["quantity"] for line in row["products"])
    matrix = await ask(client, "get-controller-matrix", controllerId=some(vendor, "coffee"))
    assert all(isinstance(cell["price"], int) for cell in matrix["products"])


async def test_the_oddities_of_the_vendor_are_all_there(vendor: SmartVend) -> None:
    truth = SmartVend(World(start=START, scale=0.5, now=lambda: START)).truth()
    assert {row["connectionStatus"] for row in truth["machines"]} == {"online", "offline"}
    assert {row["type"] for row in truth["machines"]} == {"coffee", "impulse"}
    assert None in {row["location"] for row in truth["machines"]}
    assert None in {row["price"] for row in truth["products"]}
    assert {row["archive"] for row in truth["products"]} == {True, False}
    lines = [line for sale in truth["sales"] for line in sale["products"]]
    assert None in {line["productId"] for line in lines}
    assert None in {line["price"] for line in lines}
    assert None in {line["position"] for line in lines}
    assert any(row["paymentTypes"] is None for row in truth["sales"])
    assert any(row["createdAt"] - row["controllerCreatedAt"] > 3600 for row in truth["sales"])
    assert "critical" in {row["level"] for row in truth["events"]}
    told = {row["localizeKey"] for row in truth["dictionary"]}
    assert {row["localizeKey"] for row in truth["events"]} > told
    assert len({row["productId"] for row in vendor.truth()["slots"]} & {None}) == 1


async def test_a_matrix_has_an_id_of_its_own_and_a_config_another(
    client: httpx2.AsyncClient, vendor: SmartVend
) -> None:
    controller = some(vendor, "impulse")
    matrix = await ask(client, "get-controller-matrix", controllerId=controller)
    config = await ask(client, "get-controller-config", controllerId=controller)
    assert matrix.keys() == {"id", "columnsNumber", "rowsNumber", "products", "resources"}
    assert matrix["products"][0].keys() == {"columnNumber", "rowNumber", "productId", "price"}
    assert matrix["resources"][0].keys() == {"resourceId", "maxRefillQuantity"}
    assert config.keys() == {"controllerConfigId", "type", "config"}
    assert len({controller, matrix["id"], config["controllerConfigId"]}) == 3
    assert [UUID(native).version for native in (controller, matrix["id"], config["controllerConfigId"])] == [4, 4, 4]
    assert len(matrix["products"]) == matrix["columnsNumber"] * matrix["rowsNumber"]
    assert {cell["rowNumber"] for cell in matrix["products"]} == set(range(matrix["rowsNumber"]))


async def test_a_controllers_state_and_connection(client: httpx2.AsyncClient, vendor: SmartVend) -> None:
    machine = vendor.truth()["machines"][0]
    state = await ask(client, "get-controller-state", controllerId=machine["id"])
    status = await ask(client, "get-controller-connection-status", controllerId=machine["id"])
    assert state.keys() == {"data"}
    assert state["data"].keys() == {"connectionStatus", "mc", "bc", "cc"}
    assert state["data"]["mc"] == state["data"]["bc"] + state["data"]["cc"]
    assert status == {"connectionStatus": machine["connectionStatus"]}
    assert state["data"]["connectionStatus"] == machine["connectionStatus"]


@pytest.mark.parametrize(
    "operation",
    ["get-controller-matrix", "get-controller-config", "get-controller-state", "get-controller-connection-status"],
)
async def test_what_is_asked_of_one_controller_names_it_and_nothing_else(
    client: httpx2.AsyncClient, vendor: SmartVend, operation: str
) -> None:
    controller = some(vendor, "coffee")
    assert await malformed(client, operation, {}) == "the body is wrong: controllerId is required"
    for wrong in ("x", None, 5, [controller]):
        assert "must be a UUID" in await malformed(client, operation, {"controllerId": wrong})
    assert "not expected" in await malformed(client, operation, {"controllerId": controller, "id": 1})
    assert await refused(client, operation, controllerId=NOBODY) == "there is no such controller"


async def test_products_are_filtered_by_whether_they_are_archived(
    client: httpx2.AsyncClient, vendor: SmartVend
) -> None:
    for archive in (True, False):
        found = (await ask(client, "get-list-of-products", archive=archive))["items"]
        assert found == [row for row in vendor.truth()["products"] if row["archive"] is archive]
        assert found
    for wrong in (None, "true", 1):
        await malformed(client, "get-list-of-products", {"archive": wrong})
    await malformed(client, "get-list-of-products", {"pagination": {}})


async def test_the_dictionary_speaks_six_languages(client: httpx2.AsyncClient) -> None:
    texts = {
        language: (await ask(client, "get-dictionary-of-events", language=language))["items"][0]["text"]
        for language in ("en", "pt", "es", "de", "fr", "ru")
    }
    assert len(set(texts.values())) == 6
    for wrong in ({}, {"language": "it"}, {"language": None}, {"language": "en", "level": "info"}):
        await malformed(client, "get-dictionary-of-events", wrong)


# ---- lists


@pytest.mark.parametrize("operation", ["get-list-of-sales", "get-list-of-events", "get-encashments-list"])
@pytest.mark.parametrize(
    "changed",
    [
        {"pagination": None},
        {"pagination": {}},
        {"pagination": {"currentPage": 1}},
        {"pagination": {"currentPage": 0, "perPage": 10}},
        {"pagination": {"currentPage": 1, "perPage": 0}},
        {"pagination": {"currentPage": 1, "perPage": 1001}},
        {"pagination": {"currentPage": "1", "perPage": 10}},
        {"pagination": {"currentPage": 1.5, "perPage": 10}},
        {"pagination": {"currentPage": True, "perPage": 10}},
        {"pagination": {"currentPage": 1, "perPage": 10, "page": 1}},
        {"dateRange": {}},
        {"dateRange": []},
        {"dateRange": {"from": 0}},
        {"dateRange": {"from": "2026-01-01", "to": NOW}},
        {"dateRange": {"from": 0, "to": NOW, "until": NOW}},
        {"filters": None},
        {"filters": []},
        {"filters": {"paymentTypes": ["cash"]}},
        {"filters": {"connectionStatus": "online"}},
        {"filters": {"controllerIds": "all"}},
        {"filters": {"controllerIds": ["x"]}},
        {"filters": {"groupIds": [5]}},
        {"filters": {"searchString": 5}},
        {"limit": 5},
    ],
)
async def test_a_list_takes_pages_a_range_and_known_filters(
    client: httpx2.AsyncClient, operation: str, changed: dict[str, Any]
) -> None:
    await malformed(client, operation, asking(**changed))


@pytest.mark.parametrize("operation", ["get-list-of-sales", "get-list-of-events", "get-encashments-list"])
@pytest.mark.parametrize("missing", ["pagination", "dateRange", "filters"])
async def test_filters_are_needed_even_where_they_are_empty(
    client: httpx2.AsyncClient, operation: str, missing: str
) -> None:
    body = asking()
    del body[missing]
    assert await malformed(client, operation, body) == f"the body is wrong: {missing} is required"


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999"])
async def test_what_is_no_finite_number_is_no_time(client: httpx2.AsyncClient, number: str) -> None:
    content = json.dumps(asking(dateRange={"from": 0, "to": "X"})).replace('"X"', number)
    assert (await client.post("/get-list-of-sales", content=content)).status_code == 400


async def test_a_sort_is_taken_by_sales_and_keeps_no_order(client: httpx2.AsyncClient) -> None:
    plain = await ask(client, "get-list-of-sales", **asking())
    for sort in ({}, {"field": "createdAt", "direction": -1}):
        assert await ask(client, "get-list-of-sales", **asking(sort=sort)) == plain
    await malformed(client, "get-list-of-sales", asking(sort="createdAt"))
    await malformed(client, "get-list-of-events", asking(sort={}))


async def test_pages_hold_everything_once_in_an_order_that_is_none(client: httpx2.AsyncClient) -> None:
    found, pages = [], set()
    for number in range(1, 6):
        page = await ask(client, "get-list-of-sales", **asking(pagination={"currentPage": number, "perPage": 77}))
        found += page["items"]
        pages.add((page["pagination"].pop("currentPage") == number, *page["pagination"].values()))
    assert pages == {(True, 77, 5, 360)}
    assert len(set(ids(found))) == len(found) == 360
    times = [row["createdAt"] for row in found]
    assert times not in (sorted(times), sorted(times, reverse=True))
    beyond = await ask(client, "get-list-of-sales", **asking(pagination={"currentPage": 6, "perPage": 77}))
    assert beyond["items"] == []


async def test_both_ends_of_a_range_belong_to_it(client: httpx2.AsyncClient, vendor: SmartVend) -> None:
    times = sorted(row["createdAt"] for row in vendor.truth()["sales"])
    since, until = times[100], times[200]
    found = await ask(client, "get-list-of-sales", **asking(dateRange={"from": since, "to": until}))
    assert ids(found["items"]) == ids([row for row in vendor.truth()["sales"] if since <= row["createdAt"] <= until])
    assert {since, until} <= {row["createdAt"] for row in found["items"]}
    empty = await ask(client, "get-list-of-sales", **asking(dateRange={"from": until, "to": since}))
    assert empty == {
        "items": [],
        "pagination": {"currentPage": 1, "perPage": 1000, "totalPages": 0, "totalItems": 0},
    }


async def test_lists_are_filtered_by_the_times_of_the_server(client: httpx2.AsyncClient, vendor: SmartVend) -> None:
    late = max(vendor.truth()["sales"], key=lambda row: row["createdAt"] - row["controllerCreatedAt"])
    here = {"from": late["createdAt"], "to": late["createdAt"]}
    there = {"from": late["controllerCreatedAt"], "to": late["controllerCreatedAt"]}
    assert late in (await ask(client, "get-list-of-sales", **asking(dateRange=here)))["items"]
    assert late not in (await ask(client, "get-list-of-sales", **asking(dateRange=there)))["items"]


async def test_lists_are_filtered_by_controllers(client: httpx2.AsyncClient, vendor: SmartVend) -> None:
    truth = vendor.truth()
    two = [row["id"] for row in truth["machines"][:2]]
    named = truth["machines"][0]
    for operation, rows, key in (
        ("get-list-of-sales", truth["sales"], "saleId"),
        ("get-list-of-events", truth["events"], "id"),
    ):
        found = await ask(client, operation, **asking(filters={"controllerIds": two}))
        assert ids(found["items"], key) == ids([row for row in rows if row["controllerId"] in two], key)
        for words in (named["serialNumber"], named["humanName"].upper(), named["humanName"][2:9]):
            found = await ask(client, operation, **asking(filters={"searchString": words}))
            assert named["id"] in {row["controllerId"] for row in found["items"]}
        for filters in ({"groupIds": [NOBODY]}, {"collaboratorIds": [NOBODY]}, {"searchString": "nowhere at all"}):
            assert (await ask(client, operation, **asking(filters=filters)))["items"] == []
        everything = {"controllerIds": [], "groupIds": [], "collaboratorIds": [], "searchString": ""}
        assert len((await ask(client, operation, **asking(filters=everything)))["items"]) == len(rows)


async def test_events_are_filtered_beside_the_filters(client: httpx2.AsyncClient, vendor: SmartVend) -> None:
    for name, words in (
        ("status", ("relevant", "irrelevant")),
        ("level", ("info", "warning", "danger")),
        ("source", ("user", "controller")),
    ):
        for word in words:
            found = (await ask(client, "get-list-of-events", **asking(**{name: word})))["items"]
            assert ids(found, "id") == ids([row for row in vendor.truth()["events"] if row[name] == word], "id")
        await malformed(client, "get-list-of-events", asking(**{name: "other"}))
        await malformed(client, "get-list-of-events", asking(filters={name: words[0]}))
        await malformed(client, "get-list-of-sales", asking(**{name: words[0]}))


# ---- what changes


async def test_sales_are_made_now_and_shift_the_pages(
    client: httpx2.AsyncClient, vendor: SmartVend, clock: Clock
) -> None:
    clock.moment += timedelta(minutes=5)
    machine = some(vendor, "coffee")
    made = vendor.make_sales(3, machine=machine)
    assert {row["createdAt"] for row in made} == {NOW + 300}
    assert {row["controllerId"] for row in made} == {machine}
    found = await ask(client, "get-list-of-sales", **asking(dateRange={"from": NOW + 1, "to": NOW + 300}))
    assert ids(found["items"]) == ids(made)
    with pytest.raises(KeyError):
        vendor.make_sales(1, machine=NOBODY)


async def test_a_deposit_pays_the_next_sale(client: httpx2.AsyncClient, vendor: SmartVend) -> None:
    machine = some(vendor, "coffee")
    before = (await ask(client, "get-controller-state", controllerId=machine))["data"]
    for operation, name, member, word in (
        ("send-deposit-to-controller", "deposit", "remoteDeposit", "remote-deposit"),
        ("send-remote-payment-to-controller", "amount", "remotePayment", "remote-payment"),
    ):
        assert await ask(client, operation, **{"controllerId": machine, name: 900}) == {"success": True}
        (paid,) = vendor.make_sales(1, machine=machine)
        assert (paid[member], paid["insertedMoney"], paid["paymentTypes"]) == ("900", "900", [word])
        for wrong in (0, -1, "900", None, True):
            await malformed(client, operation, {"controllerId": machine, name: wrong})
        await malformed(client, operation, {"controllerId": machine})
        await malformed(client, operation, {"controllerId": machine, name: 1, "currency": "EUR"})
    assert (await ask(client, "get-controller-state", controllerId=machine))["data"] == before
    assert [command["controllerId"] for command in vendor.commands] == [machine, machine]


async def test_a_terminal_may_be_named_for_a_payment_but_not_for_a_deposit(
    client: httpx2.AsyncClient, vendor: SmartVend
) -> None:
    body = {"controllerId": some(vendor, "coffee"), "terminalKey": "front"}
    await ask(client, "send-remote-payment-to-controller", **body, amount=100)
    await malformed(client, "send-remote-payment-to-controller", body | {"amount": 100, "terminalKey": 5})
    await malformed(client, "send-deposit-to-controller", body | {"deposit": 100})


async def test_a_product_is_issued_by_the_position_of_its_cell(client: httpx2.AsyncClient, vendor: SmartVend) -> None:
    machine = some(vendor, "coffee")
    matrix = await ask(client, "get-controller-matrix", controllerId=machine)
    columns = matrix["columnsNumber"]
    wanted = next(cell for cell in matrix["products"] if (cell["rowNumber"], cell["columnNumber"]) == (1, 2))
    assert await ask(client, "issue-product", controllerId=machine, position=columns + 3) == {"success": True}
    sale = vendor.truth()["sales"][-1]
    assert (sale["controllerId"], sale["totalPrice"], sale["quantity"]) == (machine, str(wanted["price"]), 1)
    for position in (0, -1, columns * matrix["rowsNumber"] + 1):
        assert await refused(client, "issue-product", controllerId=machine, position=position)
    for wrong in ("1", 1.5, None):
        await malformed(client, "issue-product", {"controllerId": machine, "position": wrong})


async def test_collecting_the_cash_empties_the_counters_and_is_listed(
    client: httpx2.AsyncClient, vendor: SmartVend
) -> None:
    machine = some(vendor, "coffee")
    state = (await ask(client, "get-controller-state", controllerId=machine))["data"]
    assert state["mc"] > 0
    before = {one["id"] for one in vendor.truth()["encashments"]}
    assert await ask(client, "create-encashment", controllerId=machine) == {"success": True}
    listed = (await ask(client, "get-encashments-list", **asking(sort={})))["items"]
    (found,) = (one for one in listed if one["id"] not in before)
    assert {key: value for key, value in found.items() if key != "id"} == {
        "controllerId": machine,
        "createdAt": NOW,
        "bill": state["bc"],
        "coin": state["cc"],
        "total": state["mc"],
    }
    emptied = (await ask(client, "get-controller-state", controllerId=machine))["data"]
    assert (emptied["mc"], emptied["bc"], emptied["cc"]) == (0, 0, 0)
    await malformed(client, "create-encashment", {"controllerId": machine, "total": 5})


async def test_a_matrix_is_replaced_whole_and_by_its_own_id(client: httpx2.AsyncClient, vendor: SmartVend) -> None:
    machine = some(vendor, "impulse")
    product = vendor.truth()["products"][0]["id"]
    old = await ask(client, "get-controller-matrix", controllerId=machine)
    cells = [
        {"columnNumber": 1, "rowNumber": 0, "price": 130, "productId": product},
        {"columnNumber": 0, "rowNumber": 0, "price": 90, "productId": None},
    ]
    new = {"id": old["id"], "columnsNumber": 2, "rowsNumber": 1, "products": cells, "resources": old["resources"]}
    assert await ask(client, "update-controller-matrix", **new) == {"success": True}
    assert await ask(client, "get-controller-matrix", controllerId=machine) == new
    await ask(client, "issue-product", controllerId=machine, position=2)
    assert vendor.truth()["sales"][-1]["totalPrice"] == "130"
    assert await refused(client, "update-controller-matrix", **new | {"id": machine}) == "there is no such matrix"
    for name in new:
        await malformed(client, "update-controller-matrix", {key: new[key] for key in new if key != name})


@pytest.mark.parametrize(
    "cell",
    [
        {},
        [],
        {"columnNumber": 0, "rowNumber": 0, "price": 90},
        {"columnNumber": "0", "rowNumber": 0, "price": 90, "productId": None},
        {"columnNumber": 0, "rowNumber": 0, "price": "0.90", "productId": None},
        {"columnNumber": 0, "rowNumber": 0, "price": 90, "productId": "espresso"},
        {"columnNumber": 0, "rowNumber": 0, "price": 90, "productId": None, "name": "Espresso"},
    ],
)
async def test_a_cell_has_its_members_and_no_other(client: httpx2.AsyncClient, vendor: SmartVend, cell: Any) -> None:
    old = await ask(client, "get-controller-matrix", controllerId=some(vendor, "impulse"))
    await malformed(client, "update-controller-matrix", old | {"products": [cell]})


async def test_a_cell_lies_in_the_matrix_and_holds_a_product_that_is_there(
    client: httpx2.AsyncClient, vendor: SmartVend
) -> None:
    old = await ask(client, "get-controller-matrix", controllerId=some(vendor, "coffee"))
    for name, value in (("columnNumber", 99), ("rowNumber", -1), ("productId", NOBODY), ("productId", None)):
        cells = [old["products"][0] | {name: value}]
        assert await refused(client, "update-controller-matrix", **old | {"products": cells})
    await malformed(client, "update-controller-matrix", old | {"columnsNumber": 0})
    resources: list[Any] = [{"resourceId": NOBODY}, {"resourceId": "milk", "maxRefillQuantity": 5}, {}]
    for resource in resources:
        await malformed(client, "update-controller-matrix", old | {"resources": [resource]})


async def test_a_config_is_changed_by_what_is_sent_of_it(client: httpx2.AsyncClient, vendor: SmartVend) -> None:
    machine = some(vendor, "coffee")
    old = await ask(client, "get-controller-config", controllerId=machine)
    body = {"type": "coffee", "controllerConfigId": old["controllerConfigId"], "config": {"re": True, "td": "0630"}}
    assert await ask(client, "update-controller-config", **body) == {"success": True}
    new = await ask(client, "get-controller-config", controllerId=machine)
    assert new["config"] == old["config"] | {"re": True, "td": "0630"}
    assert await refused(client, "update-controller-config", **body | {"type": "impulse"})
    assert await refused(client, "update-controller-config", **body | {"controllerConfigId": machine})
    wrong: list[Any] = [{"re": 1}, {"sm": "100"}, {"2c": 5}, {"td": "06:30"}, {"telemetry": 1}, [], None]
    for config in wrong:
        await malformed(client, "update-controller-config", body | {"config": config})
    for changed in ({"type": "tea"}, {"controllerConfigId": "x"}, {"controllerId": machine}):
        await malformed(client, "update-controller-config", body | changed)


async def test_what_changes_something_is_kept_as_it_was_sent_and_what_was_refused_is_not(
    client: httpx2.AsyncClient, vendor: SmartVend
) -> None:
    machine = some(vendor, "coffee")
    before = vendor.truth()["configs"]
    matrix = await ask(client, "get-controller-matrix", controllerId=machine)
    config = {key: value for key, value in before[0].items() if key != "controllerId"} | {"config": {"re": True}}
    sent: list[tuple[str, dict[str, Any]]] = [
        ("send-deposit-to-controller", {"controllerId": machine, "deposit": 100}),
        ("issue-product", {"controllerId": machine, "position": 1}),
        ("create-encashment", {"controllerId": machine}),
        ("update-controller-matrix", matrix),
        ("update-controller-config", config),
    ]
    for operation, body in sent:
        await ask(client, operation, **body)
    await refused(client, "create-encashment", controllerId=NOBODY)
    await refused(client, "update-controller-matrix", **matrix | {"id": NOBODY})
    await refused(client, "update-controller-config", **config | {"controllerConfigId": NOBODY})
    truth = vendor.truth()
    assert truth["commands"] == [body for _, body in sent]
    assert before[0]["config"]["re"] is False
    assert truth["configs"] == [before[0] | {"config": before[0]["config"] | {"re": True}}, *before[1:]]


# ---- one world


def test_the_same_seed_gives_the_same_fleet_and_the_same_sales() -> None:
    one, again, other = (SmartVend(World(start=START, scale=0.1, now=lambda: START, seed=seed)) for seed in (7, 7, 8))
    one.make_sales(5)
    again.make_sales(5)
    assert one.truth() == again.truth()
    assert other.truth()["machines"] != one.truth()["machines"]


def test_the_account_points_at_the_sandbox(vendor: SmartVend) -> None:
    account = vendor.account("http://127.0.0.1:9000")
    assert account["base_url"] == "http://127.0.0.1:9000/smartvend/v1"
    assert (account["key"], account["organization"], account["currency"]) == ("acme-coffee", "acme", "EUR")
    assert account["credentials"] == {"organization_key": ORGANIZATION_KEY}
