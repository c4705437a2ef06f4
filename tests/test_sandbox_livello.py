"""The emulated Livello, called as a connector would call it."""

import base64
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from sandbox.livello import Livello
from sandbox.livello_gate import CREDENTIALS
from sandbox.world import World

START = datetime(2026, 3, 4, 15, 6, 7, tzinfo=UTC)
LOGIN = {**CREDENTIALS, "grant_type": "client_credentials"}
ISO = "%Y-%m-%dT%H:%M:%S.%fZ"


class Clock:
    def __init__(self) -> None:
        self.moment = START

    def __call__(self) -> datetime:
        return self.moment

    def advance(self, **span: float) -> None:
        self.moment += timedelta(**span)


def client_of(vendor: Livello) -> httpx2.AsyncClient:
    app = Starlette(routes=[Mount("/livello", routes=vendor.routes())])
    return httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=app),
        base_url="http://sandbox/livello/api/v1",
        headers={"x-timezone": "UTC"},
    )


async def sign_in(client: httpx2.AsyncClient) -> dict[str, Any]:
    answer = await client.post("/auth/token", json=LOGIN)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    client.headers["authorization"] = f"{found['token_type']} {found['access_token']}"
    return found


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def shared() -> Livello:
    """For tests that only read."""
    return Livello(World(start=START, now=lambda: START), hourly=100_000, logins=100_000)


@pytest.fixture
def vendor(clock: Clock) -> Livello:
    return Livello(World(start=START, scale=0.1, now=clock))


@pytest.fixture
async def reader(shared: Livello) -> AsyncIterator[httpx2.AsyncClient]:
    async with client_of(shared) as client:
        await sign_in(client)
        yield client


@pytest.fixture
async def client(vendor: Livello) -> AsyncIterator[httpx2.AsyncClient]:
    async with client_of(vendor) as client:
        await sign_in(client)
        yield client


async def read(client: httpx2.AsyncClient, path: str, **query: Any) -> Any:
    answer = await client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


PAGED_BY = {
    "/kiosks": "page",
    "/products": "page",
    "/organizations": "skip",
    "/transactions": "skip",
    "/alerts": "offset",
}


async def read_all(client: httpx2.AsyncClient, path: str, **query: Any) -> list[dict[str, Any]]:
    by = PAGED_BY[path]
    found: list[dict[str, Any]] = []
    while True:
        at = len(found) // 100 + 1 if by == "page" else len(found)
        page = await read(client, path, **{"limit": 100, by: at, **query})
        found += page["data"]
        if len(found) >= page["total"]:
            return found


def assert_problem(answer: httpx2.Response, status: int, title: str, detail: str, path: str) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": f"https://api.livello.com/errors/{title.lower().replace(' ', '-')}",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": f"/api/v1{path}",
    }


def limits(answer: httpx2.Response) -> tuple[int, ...]:
    return tuple(int(answer.headers[f"ratelimit-{name}"]) for name in ("limit", "remaining", "reset"))


def claims(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return found


async def test_a_token_for_the_credentials(client: httpx2.AsyncClient) -> None:
    found = await sign_in(client)
    assert set(found) == {"access_token", "token_type", "expires_in", "scope"}
    assert (found["token_type"], found["expires_in"]) == ("Bearer", 86_400)
    assert found["scope"].split()[:3] == ["kiosks:read", "inventory:read", "products:read"]
    assert claims(found["access_token"])["exp"] == START.timestamp() + 86_400


async def test_the_same_token_is_told_until_it_ends_with_the_life_it_had_at_first(
    client: httpx2.AsyncClient, clock: Clock
) -> None:
    first = await sign_in(client)
    clock.advance(hours=23, minutes=59)
    assert await sign_in(client) == first
    clock.advance(minutes=1)
    assert (await client.get("/kiosks")).status_code == 401
    second = await sign_in(client)
    assert second["access_token"] != first["access_token"]
    assert (await client.get("/kiosks")).status_code == 200


async def test_a_token_request_is_a_json_object_with_three_texts(client: httpx2.AsyncClient) -> None:
    form = await client.post("/auth/token", data=LOGIN)
    assert_problem(form, 400, "Bad Request", "The body must be application/json", "/auth/token")
    for body in (b"[1]", b"{"):
        answer = await client.post("/auth/token", content=body, headers={"content-type": "application/json"})
        assert answer.status_code == 400
    for name in LOGIN:
        answer = await client.post("/auth/token", json={**LOGIN, name: None})
        assert_problem(answer, 400, "Bad Request", f"{name} must be a string", "/auth/token")
    answer = await client.post("/auth/token", json=LOGIN | {"grant_type": "password"})
    assert answer.status_code == 400


@pytest.mark.parametrize("name", list(CREDENTIALS))
async def test_wrong_credentials_are_unauthorized(client: httpx2.AsyncClient, name: str) -> None:
    answer = await client.post("/auth/token", json={**LOGIN, name: "guess"})
    assert_problem(answer, 401, "Unauthorized", "Invalid client credentials", "/auth/token")


async def test_there_are_ten_tokens_a_minute(client: httpx2.AsyncClient, clock: Clock) -> None:
    answers = [await client.post("/auth/token", json=LOGIN) for _ in range(9)]
    assert [limits(answer)[:2] for answer in answers] == [(10, left) for left in range(8, -1, -1)]
    clock.advance(seconds=20)
    refused = await client.post("/auth/token", json=LOGIN)
    detail = "Rate limit exceeded: 10 requests in 60 seconds"
    assert_problem(refused, 429, "Too Many Requests", detail, "/auth/token")
    assert (limits(refused), refused.headers["retry-after"]) == ((10, 0, 40), "40")
    assert (await client.get("/kiosks")).status_code == 200
    clock.advance(seconds=40)
    assert (await client.post("/auth/token", json=LOGIN)).status_code == 200


async def test_there_are_a_thousand_requests_an_hour(clock: Clock) -> None:
    vendor = Livello(World(start=START, scale=0.1, now=clock), hourly=3)
    async with client_of(vendor) as client:
        await sign_in(client)
        answers = [await client.get(path) for path in ("/kiosks", "/kiosks/none", "/alerts")]
        assert [limits(answer) for answer in answers] == [(3, 2, 3600), (3, 1, 3600), (3, 0, 3600)]
        assert not any("retry-after" in answer.headers for answer in answers)
        clock.advance(minutes=50)
        refused = await client.get("/kiosks")
        assert_problem(refused, 429, "Too Many Requests", "Rate limit exceeded: 3 requests in 3600 seconds", "/kiosks")
        assert (limits(refused), refused.headers["retry-after"]) == ((3, 0, 600), "600")
        clock.advance(minutes=10)
        assert limits(await client.get("/kiosks")) == (3, 2, 3600)


async def test_the_usual_budget_is_a_thousand(client: httpx2.AsyncClient) -> None:
    assert limits(await client.get("/kiosks")) == (1000, 999, 3600)


async def test_without_a_good_token_nothing_is_answered(client: httpx2.AsyncClient) -> None:
    good = client.headers["authorization"]
    for given in ("", "Bearer guess", good.removeprefix("Bearer "), "Bearer é"):
        answer = await client.get("/kiosks", headers={b"authorization": given.encode()})
        assert_problem(answer, 401, "Unauthorized", "The token is missing, unknown or expired", "/kiosks")
    assert limits(await client.get("/kiosks"))[1] == 999


async def test_a_token_may_be_forgotten_and_a_client_revoked(client: httpx2.AsyncClient, vendor: Livello) -> None:
    first = (await sign_in(client))["access_token"]
    vendor.gate.forget_token()
    assert (await client.get("/kiosks")).status_code == 401
    assert (await sign_in(client))["access_token"] != first
    vendor.gate.revoke_client()
    assert (await client.get("/kiosks")).status_code == 401
    assert (await client.post("/auth/token", json=LOGIN)).status_code == 401


@pytest.mark.parametrize(
    ("path", "scope"),
    [
        ("/kiosks", "kiosks:read"),
        ("/kiosks/LIV-0001", "kiosks:read"),
        ("/kiosks/LIV-0001/inventory", "inventory:read"),
        ("/products", "products:read"),
        ("/products/10", "products:read"),
        ("/transactions", "transactions:read"),
        ("/transactions/1001", "transactions:read"),
        ("/organizations", "organizations:read"),
        ("/organizations/1", "organizations:read"),
        ("/alerts", "alerts:read"),
        ("/alerts/types", "alerts:read"),
    ],
)
async def test_each_operation_needs_its_scope(clock: Clock, path: str, scope: str) -> None:
    world = World(start=START, scale=0.1, now=clock)
    async with client_of(Livello(world, scopes=scope)) as client:
        assert (await sign_in(client))["scope"] == scope
        assert (await client.get(path)).status_code == 200
    async with client_of(Livello(world, scopes="users:read")) as client:
        await sign_in(client)
        assert_problem(await client.get(path), 403, "Forbidden", f"Insufficient scope. Required: {scope}", path)


async def test_tokens_may_be_kept_to_some_addresses_and_the_rest_is_not(clock: Clock) -> None:
    world = World(start=START, scale=0.1, now=clock)
    async with client_of(Livello(world, allowed=["10.0.0.0/8"])) as client:
        answer = await client.post("/auth/token", json=LOGIN)
        assert_problem(answer, 403, "Forbidden", "Token requests are not allowed from this address", "/auth/token")
    async with client_of(Livello(world, allowed=["10.0.0.0/8", "127.0.0.1"])) as client:
        await sign_in(client)


async def test_there_is_nothing_elsewhere(client: httpx2.AsyncClient) -> None:
    assert_problem(await client.get("/nowhere"), 404, "Not Found", "Cannot GET /livello/api/v1/nowhere", "/nowhere")
    assert (await client.post("/kiosks", json={})).status_code == 404
    assert (await client.get("/auth/token")).status_code == 404


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/kiosks", "machines"),
        ("/products", "products"),
        ("/organizations", "organizations"),
        ("/transactions", "sales"),
        ("/alerts", "events"),
    ],
)
async def test_lists_hold_all_there_is(reader: httpx2.AsyncClient, shared: Livello, path: str, kind: str) -> None:
    rows = await read_all(reader, path)

    def by_id(row: dict[str, Any]) -> str:
        return str(row.get("id", row.get("_id")))

    assert sorted(rows, key=by_id) == sorted(shared.truth()[kind], key=by_id)


@pytest.mark.parametrize(("path", "by"), list(PAGED_BY.items()))
async def test_pages_are_of_25_and_of_100_at_most(reader: httpx2.AsyncClient, path: str, by: str) -> None:
    everything = await read_all(reader, path)
    for limit, size in ((None, 25), (7, 7), (100, 100), (5000, 100)):
        answer = await read(reader, path, **({} if limit is None else {"limit": limit}))
        assert (answer["data"], answer["total"]) == (everything[:size], len(everything))
    second = {"page": 2} if by == "page" else {by: 3}
    assert (await read(reader, path, limit=3, **second))["data"] == everything[3:6]
    beyond = {"page": 900} if by == "page" else {by: 90_000}
    assert await read(reader, path, **beyond) == await read(reader, path, **beyond) | {
        "total": len(everything),
        "data": [],
    }
    for query in ({"limit": "0"}, {"limit": "many"}, {by: "-1"}):
        assert (await reader.get(path, params=query)).status_code == 400


NUMBERS = {"latestTemperature", "todaySalesTotal", "price", "cost", "total"}


def value(row: dict[str, Any], column: str) -> Any:
    """None where the row has none; numbers come as numbers or as texts."""
    found = row["kiosk"]["name"] if column == "kioskName" else row.get(column)
    return float(found) if found is not None and column in NUMBERS else found


@pytest.mark.parametrize(
    ("path", "parameter", "column"),
    [
        ("/kiosks", "sortColumn", "name"),
        ("/kiosks", "sortColumn", "serialNumber"),
        ("/kiosks", "sortColumn", "networkLastOnline"),
        ("/kiosks", "sortColumn", "organizationName"),
        ("/kiosks", "sortColumn", "latestTemperature"),
        ("/products", "sortBy", "name"),
        ("/products", "sortBy", "manufacturer"),
        ("/products", "sortBy", "weight"),
        ("/products", "sortBy", "cost"),
        ("/products", "sortBy", "price"),
        ("/organizations", "sortBy", "name"),
        ("/transactions", "sortBy", "created"),
        ("/transactions", "sortBy", "total"),
        ("/transactions", "sortBy", "kioskName"),
    ],
)
async def test_a_list_is_sorted_by_what_it_names(
    reader: httpx2.AsyncClient, path: str, parameter: str, column: str
) -> None:
    for sort in (1, -1):
        rows = await read_all(reader, path, **{parameter: column, "sort": sort})
        told = [found for row in rows if (found := value(row, column)) is not None]
        assert told == sorted(told, reverse=sort == -1)
        assert len(set(told)) > 1


async def test_an_unknown_column_falls_back_without_a_word(reader: httpx2.AsyncClient) -> None:
    for path, parameter in (("/products", "sortBy"), ("/organizations", "sortBy"), ("/transactions", "sortBy")):
        assert await read(reader, path, **{parameter: "recordedAt"}) == await read(reader, path)
    names = [row["name"] for row in (await read(reader, "/kiosks", sortColumn="x"))["data"]]
    assert names == sorted(names)
    assert (await reader.get("/transactions", params={"sort": "desc"})).status_code == 400


async def test_organizations_are_sorted_by_their_kiosks(reader: httpx2.AsyncClient, shared: Livello) -> None:
    owners = [kiosk["orgId"] for kiosk in shared.truth()["machines"]]
    rows = (await read(reader, "/organizations", sortBy="kioskCount", sort=-1))["data"]
    counts = [owners.count(str(row["id"])) for row in rows]
    assert counts == sorted(counts, reverse=True)


async def test_transactions_come_newest_first_and_products_by_name(reader: httpx2.AsyncClient) -> None:
    created = [row["created"] for row in (await read(reader, "/transactions"))["data"]]
    assert created == sorted(created, reverse=True)
    names = [row["name"] for row in (await read(reader, "/products"))["data"]]
    assert names == sorted(names)


async def test_alerts_have_a_dialect_of_their_own(reader: httpx2.AsyncClient) -> None:
    async def times(column: str, **query: str) -> list[str]:
        return [row[column] for row in await read_all(reader, "/alerts", **query)]

    for column in ("startDate", "createdAt"):
        down = await times(column, orderBy=column)
        assert down == sorted(down, reverse=True)
        assert await times(column, orderBy=column, orderDirection="ASC") == sorted(down)
    by_start = await times("createdAt", orderBy="startDate")
    assert by_start != sorted(by_start, reverse=True)
    assert await times("createdAt", orderBy="recordedAt") == by_start


async def test_both_ends_of_a_range_belong_to_it(reader: httpx2.AsyncClient, shared: Livello) -> None:
    created = sorted(row["created"] for row in shared.truth()["sales"])
    first, last = created[100], created[200]
    rows = await read_all(reader, "/transactions", startDate=first, endDate=last)
    assert sorted(row["created"] for row in rows) == [at for at in created if first <= at <= last]
    alerts = sorted(row["createdAt"] for row in shared.truth()["events"])
    rows = await read_all(reader, "/alerts", startDateFrom=alerts[3], startDateTo=alerts[9])
    assert sorted(row["createdAt"] for row in rows) == [at for at in alerts if alerts[3] <= at <= alerts[9]]
    assert (await reader.get("/transactions", params={"endDate": "yesterday"})).status_code == 400


async def test_a_time_without_an_offset_is_berlins_unless_a_header_says_otherwise(reader: httpx2.AsyncClient) -> None:
    async def total(zone: str | None, start: str) -> Any:
        headers = dict(reader.headers)
        headers.pop("x-timezone")
        headers |= {} if zone is None else {"x-timezone": zone}
        request = httpx2.Request(
            "GET", "http://sandbox/livello/api/v1/transactions", params={"startDate": start}, headers=headers
        )
        answer = await reader.send(request)
        return answer.json().get("total", answer.status_code)

    noon = "2026-02-20T12:00:00"
    assert await total("UTC", noon) == await total("UTC", noon + "Z") == await total("Europe/Berlin", noon + "Z")
    assert await total(None, noon) == await total("Europe/Berlin", noon) == await total("UTC", noon + "+01:00")
    assert await total("UTC", noon) < await total(None, noon)
    assert await total("Mars/Olympus", noon) == 400


async def test_serial_numbers_are_listed_with_commas(reader: httpx2.AsyncClient) -> None:
    rows = await read_all(reader, "/transactions", kioskSerialNumbers="LIV-0003,LIV-0007")
    assert {row["kiosk"]["serialNumber"] for row in rows} == {"LIV-0003", "LIV-0007"}
    assert len(rows) == 2 * 60
    assert await read_all(reader, "/transactions", kioskSerialNumbers="LIV-9999") == []


async def test_alerts_are_filtered_by_what_is_listed(reader: httpx2.AsyncClient, shared: Livello) -> None:
    everything = shared.truth()["events"]
    for parameter, member, values in (
        ("kioskSerialNumbers", "kioskSerialNumber", ["LIV-0001", "LIV-0002"]),
        ("types", "type", ["LowStock", "Offline"]),
        ("severities", "severity", ["low", "mid"]),
        ("statuses", "status", ["open"]),
    ):
        rows = await read_all(reader, "/alerts", **{parameter: ",".join(values)})
        assert len(rows) == sum(row[member] in values for row in everything) > 0
    acknowledged = await read_all(reader, "/alerts", isAck="true")
    assert len(acknowledged) == sum(row["isAck"] for row in everything)
    assert (await reader.get("/alerts", params={"isAck": "yes"})).status_code == 400


async def test_names_are_found_by_their_parts(reader: httpx2.AsyncClient) -> None:
    assert {row["name"] for row in (await read(reader, "/products", name="WATER"))["data"]} == {
        "Sparkling Water 0.5 l",
        "Still Water 0.5 l",
    }
    assert (await read(reader, "/kiosks", name="nobody"))["total"] == 0
    assert (await read(reader, "/organizations", name="campus"))["total"] == 1
    assert (await read(reader, "/products", category="Fruit"))["total"] == 2


SHAPES = {
    "/kiosks": "_id name orgId organizationName serialNumber networkLastOnline latestTemperature todaySalesTotal",
    "/products": "id name description category manufacturer articleNumber organizationId organizationName"
    " organizationCurrency netPrice price cost weight weightUnit updatedAt createdAt images",
    "/organizations": "id name slug type address currency parentOrg",
    "/transactions": "id created total discountTotal session type userId kiosk paymentMethod itemsPurchased",
    "/alerts": "id type severity status isAck kioskSerialNumber kioskName message startDate endDate createdAt",
}


@pytest.mark.parametrize("path", list(SHAPES))
async def test_rows_have_the_members_that_the_documents_show(reader: httpx2.AsyncClient, path: str) -> None:
    members = set(SHAPES[path].split())
    answer = await read(reader, path, limit=100)
    assert set(answer) == {"total", "data"} | ({"membercardList"} if path == "/transactions" else set())
    assert all(set(row) in (members, members - {"networkLastOnline"}) for row in answer["data"])
    assert any(set(row) == members for row in answer["data"])


async def test_the_parts_of_a_transaction(reader: httpx2.AsyncClient) -> None:
    for row in await read_all(reader, "/transactions"):
        assert set(row["kiosk"]) == {"id", "name", "serialNumber"}
        assert set(row["paymentMethod"]) == {
            "isPaid",
            "membercardId",
            "paymentCardType",
            "cardType",
            "paymentType",
            "externalTransactionId",
        }
        for item in row["itemsPurchased"]:
            assert set(item) == {
                "productMetaId",
                "productLineId",
                "name",
                "ean",
                "quantity",
                "price",
                "taxRate",
                "planogramPosition",
            }
        assert datetime.strptime(row["created"], ISO).replace(tzinfo=UTC) <= START


async def test_one_of_each(reader: httpx2.AsyncClient, shared: Livello) -> None:
    truth = shared.truth()
    for path, kind in (("products", "products"), ("transactions", "sales"), ("organizations", "organizations")):
        row = truth[kind][2]
        assert await read(reader, f"/{path}/{row['id']}") == row
        assert (await reader.get(f"/{path}/999999")).status_code == 404
        assert (await reader.get(f"/{path}/none")).status_code == 400


async def test_a_kiosk_tells_of_its_owner_and_of_its_cells(reader: httpx2.AsyncClient, shared: Livello) -> None:
    kiosk = await read(reader, "/kiosks/LIV-0001")
    assert set(kiosk) == {"_id", "name", "orgId", "serialNumber", "inventory", "controller", "ownerOrganization"}
    owner = next(row for row in shared.truth()["organizations"] if str(row["id"]) == kiosk["orgId"])
    assert kiosk["ownerOrganization"]["_id"] == kiosk["orgId"]
    assert kiosk["ownerOrganization"]["name"] == owner["name"]
    cells = await read(reader, "/kiosks/LIV-0001/inventory")
    assert kiosk["inventory"]["loadCells"] == cells
    assert {frozenset(cell) for cell in cells} == {
        frozenset({"loadCellId", "planogramPosition", "surfaceSize", "cellId", "productLineData"})
    }
    lines = [cell["productLineData"] for cell in cells if cell["productLineData"]]
    assert {frozenset(line) for line in lines} == {
        frozenset({"id", "productMetaId", "name", "price", "currency", "quantity", "capacity", "taxRate", "imageUrl"})
    }
    for path in ("/kiosks/LIV-9999", "/kiosks/LIV-9999/inventory"):
        assert_problem(await reader.get(path), 404, "Not Found", "Kiosk not found", path)


async def test_each_alert_has_a_known_type(reader: httpx2.AsyncClient, shared: Livello) -> None:
    types = await read(reader, "/alerts/types")
    assert {frozenset(one) for one in types} == {frozenset({"type", "category", "defaultSeverity", "description"})}
    assert {row["type"] for row in shared.truth()["events"]} == {one["type"] for one in types}


async def test_the_fleet_is_as_large_as_it_should_be(shared: Livello) -> None:
    truth = shared.truth()
    sizes = {kind: len(truth[kind]) for kind in ("organizations", "machines", "products", "sales", "events")}
    assert sizes == {"organizations": 7, "machines": 50, "products": 16, "sales": 3000, "events": 150}


async def test_the_oddities_of_the_vendor_are_all_there(shared: Livello) -> None:
    truth = shared.truth()
    lines = [cell["productLineData"] for cell in truth["slots"]]
    payments = [sale["paymentMethod"] for sale in truth["sales"]]
    assert {type(line["price"]) for line in lines if line} == {str, float}
    assert None in lines
    assert {type(product["price"]) for product in truth["products"]} == {str}
    assert {type(product["cost"]) for product in truth["products"]} == {float}
    assert {type(kiosk["latestTemperature"]) for kiosk in truth["machines"]} == {float, int, str, type(None)}
    assert any("networkLastOnline" not in kiosk for kiosk in truth["machines"])
    assert {type(kiosk["orgId"]) for kiosk in truth["machines"]} == {str}
    assert {type(one["id"]) for one in truth["organizations"]} == {int}
    known = {one["id"] for one in truth["organizations"]}
    assert {one["parentOrg"] for one in truth["organizations"]} - known == {None, 99}
    assert {"MEMBERCARD", "CreditOrDebitCard", "Wampum"} == {each["paymentType"] for each in payments}
    assert {True, False} == {each["isPaid"] for each in payments}
    assert 0 in {sale["userId"] for sale in truth["sales"]}
    assert {"low", "mid", "high", "catastrophic"} == {alert["severity"] for alert in truth["events"]}


def cents(number: Any) -> Decimal:
    return Decimal(str(number))


async def test_money_adds_up(shared: Livello) -> None:
    truth = shared.truth()
    for sale in truth["sales"]:
        gross = sum(cents(item["price"]) * item["quantity"] for item in sale["itemsPurchased"])
        assert cents(sale["total"]) == gross - cents(sale["discountTotal"])
    assert any(sale["discountTotal"] for sale in truth["sales"])


async def test_currencies_are_those_of_the_organizations(clock: Clock) -> None:
    truth = Livello(World(start=START, scale=0.4, now=clock), currencies=("EUR", "CHF")).truth()
    of = {str(one["id"]): one["currency"] for one in truth["organizations"]}
    owners = {kiosk["serialNumber"]: kiosk["orgId"] for kiosk in truth["machines"]}
    lines = [(cell["serialNumber"], cell["productLineData"]) for cell in truth["slots"] if cell["productLineData"]]
    assert {line["currency"] for _, line in lines} == {"EUR", "CHF"}
    assert all(line["currency"] == of[owners[serial]] for serial, line in lines)
    assert all(row["organizationCurrency"] == of[str(row["organizationId"])] for row in truth["products"])


async def test_a_sale_is_listed_first_and_takes_from_the_stock(client: httpx2.AsyncClient, vendor: Livello) -> None:
    before = {kiosk["serialNumber"]: kiosk["todaySalesTotal"] for kiosk in vendor.truth()["machines"]}
    stock = {
        cell["planogramPosition"]: cell["productLineData"] for cell in await read(client, "/kiosks/LIV-0002/inventory")
    }
    quantities = {position: line["quantity"] for position, line in stock.items() if line}
    (made,) = vendor.make_sales(1, machine="LIV-0002")
    assert (await read(client, "/transactions", limit=1))["data"] == [made]
    assert await read(client, f"/transactions/{made['id']}") == made
    after = {kiosk["serialNumber"]: kiosk["todaySalesTotal"] for kiosk in vendor.truth()["machines"]}
    assert cents(after["LIV-0002"]) - cents(before["LIV-0002"]) == cents(made["total"])
    item = made["itemsPurchased"][0]
    left = max(0, quantities[item["planogramPosition"]] - item["quantity"])
    cells = {cell["planogramPosition"]: cell for cell in await read(client, "/kiosks/LIV-0002/inventory")}
    assert cells[item["planogramPosition"]]["productLineData"]["quantity"] == left
    with pytest.raises(KeyError):
        vendor.make_sales(1, machine="LIV-9999")


def first_line(vendor: Livello) -> dict[str, Any]:
    lines = (cell["productLineData"] for cell in vendor.truth()["slots"])
    found: dict[str, Any] = next(line for line in lines if line is not None)
    return found


async def test_a_price_is_a_record_of_its_product_line(client: httpx2.AsyncClient, vendor: Livello) -> None:
    native = first_line(vendor)["id"]
    answers = [
        await client.post(f"/product-lines/{native}/price", json={"price": 1.99, "productLineId": 9}) for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert vendor.truth()["prices"] == [answer.json() for answer in answers]
    assert answers[1].json() == {
        "id": 2,
        "productLineId": native,
        "price": 1.99,
        "validFrom": "2026-03-04T15:06:07.000Z",
        "validTo": None,
    }
    shown = await read(client, "/kiosks/LIV-0001/inventory")
    assert {"price": 1.99, "id": native}.items() <= shown[0]["productLineData"].items()
    detail = await read(client, "/kiosks/LIV-0001")
    assert detail["inventory"]["loadCells"] == shown


async def test_prices_hold_as_long_as_they_are_valid(client: httpx2.AsyncClient, vendor: Livello, clock: Clock) -> None:
    native, usual = first_line(vendor)["id"], first_line(vendor)["price"]
    noon = {"validFrom": "2026-03-05T12:00:00.000Z", "validTo": "2026-03-05T15:00:00+01:00"}
    for body in ({"price": 0, **noon}, {"price": 2, "validFrom": "2026-03-06T00:00:00", "validTo": None}):
        assert (await client.post(f"/product-lines/{native}/price", json=body)).status_code == 201
    seen = []
    for hours in (0, 20, 1, 1, 1, 11):  # from 15:06; then 11:06, 12:06, 13:06, 14:06 of the next day; after midnight
        clock.advance(hours=hours)
        seen.append(first_line(vendor)["price"])
    assert seen == [usual, usual, 0, 0, usual, 2]
    sold = [item for sale in vendor.make_sales(200, machine="LIV-0001") for item in sale["itemsPurchased"]]
    assert {item["price"] for item in sold if item["productLineId"] == native} == {2}


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({}, "price must"),
        ({"price": "1.99"}, "price must"),
        ({"price": True}, "price must"),
        ({"price": -1}, "price must"),
        ({"price": 1, "validFrom": "tomorrow"}, "validFrom must"),
        ({"price": 1, "validTo": 5}, "validTo must"),
        ({"price": 1, "validTo": "2026-03-04T15:06:07Z"}, "validTo must"),
        ({"price": 1, "currency": "EUR"}, "currency"),
    ],
)
async def test_what_is_no_price_is_refused(
    client: httpx2.AsyncClient, vendor: Livello, body: dict[str, Any], told: str
) -> None:
    path = f"/product-lines/{first_line(vendor)['id']}/price"
    answer = await client.post(path, json=body)
    assert (answer.status_code, told in answer.json()["detail"]) == (400, True)
    assert (await client.post(path, content=b"[]")).status_code == 400
    for nowhere in ("99999", "A1", "²"):
        answer = await client.post(f"/product-lines/{nowhere}/price", json={"price": 1})
        assert_problem(answer, 404, "Not Found", "Product line not found", f"/product-lines/{nowhere}/price")
    assert vendor.truth()["prices"] == []


async def test_a_price_needs_its_scope(clock: Clock) -> None:
    vendor = Livello(World(start=START, scale=0.1, now=clock), scopes="kiosks:read products:read")
    async with client_of(vendor) as client:
        await sign_in(client)
        answer = await client.post("/product-lines/1/price", json={"price": 1})
        assert (answer.status_code, answer.json()["detail"]) == (403, "Insufficient scope. Required: products:write")


async def test_kiosks_stay_online_while_time_passes(client: httpx2.AsyncClient, clock: Clock) -> None:
    async def seen() -> dict[str, timedelta]:
        rows = (await read(client, "/kiosks", limit=100))["data"]
        told = {row["_id"]: row["networkLastOnline"] for row in rows if "networkLastOnline" in row}
        return {kiosk: clock.moment - datetime.fromisoformat(at) for kiosk, at in told.items()}

    before = await seen()
    clock.advance(hours=5)
    assert await seen() == before
    assert any(age <= timedelta(minutes=15) for age in before.values())


async def test_the_same_seed_gives_the_same_history(clock: Clock) -> None:
    def told(seed: int) -> str:
        return json.dumps(Livello(World(seed=seed, start=START, scale=0.2, now=clock)).truth())

    assert told(7) == told(7)
    assert told(7) != told(8)


async def test_skip_paging_shifts_when_a_sale_arrives(client: httpx2.AsyncClient, vendor: Livello) -> None:
    first = (await read(client, "/transactions", limit=5))["data"]
    vendor.make_sales(2)
    second = (await read(client, "/transactions", limit=5, skip=5))["data"]
    assert [row["id"] for row in second[:2]] == [row["id"] for row in first[3:]]
    assert all(one["created"] >= other["created"] for one, other in pairwise(second))
