"""The emulated VendNovation, called as a connector would call it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from sandbox.vendnovation import CREDENTIALS, VendNovation
from sandbox.world import World

START = datetime(2026, 3, 4, 15, 6, 7, tzinfo=UTC)
KEY = {"x-api-key": CREDENTIALS["api_key"]}
LOGIN = {"username": CREDENTIALS["username"], "password": CREDENTIALS["password"]}


class Clock:
    def __init__(self) -> None:
        self.moment = START

    def __call__(self) -> datetime:
        return self.moment

    def advance(self, **span: float) -> None:
        self.moment += timedelta(**span)


def client_of(vendor: VendNovation) -> httpx2.AsyncClient:
    app = Starlette(routes=[Mount("/vendnovation", routes=vendor.routes())])
    return httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=app), base_url="http://sandbox/vendnovation/prod", headers=KEY
    )


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def shared() -> VendNovation:
    """For tests that only read."""
    return VendNovation(World(start=START, now=lambda: START), burst=100_000, per_day=100_000)


@pytest.fixture
def vendor(clock: Clock) -> VendNovation:
    return VendNovation(World(start=START, scale=0.4, now=clock))


async def sign_in(client: httpx2.AsyncClient) -> None:
    answer = await client.post("/authenticate/", json=LOGIN)
    client.headers["access-token"] = answer.json()["accessToken"]


@pytest.fixture
async def reader(shared: VendNovation) -> AsyncIterator[httpx2.AsyncClient]:
    async with client_of(shared) as client:
        await sign_in(client)
        yield client


@pytest.fixture
async def client(vendor: VendNovation) -> AsyncIterator[httpx2.AsyncClient]:
    async with client_of(vendor) as client:
        await sign_in(client)
        yield client


async def read_all(
    client: httpx2.AsyncClient, path: str, size: int = 100, verb: str = "POST", **sent: Any
) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for page in range(1, 200):
        answer = await client.request(verb, path, json=sent, headers={"page": str(page), "size": str(size)})
        assert answer.status_code == 200, answer.text
        found += answer.json()
        if len(answer.json()) < size:
            break
    return found


def window(since: datetime, until: datetime) -> dict[str, str]:
    return {"startDate": since.isoformat(), "endDate": until.isoformat()}


async def read_history(client: httpx2.AsyncClient, path: str) -> list[dict[str, Any]]:
    found = []
    for months in range(4):
        until = START + timedelta(seconds=1) - timedelta(days=31 * months)
        found += await read_all(client, path, requestFilter=window(until - timedelta(days=31), until))
    return found


def ids(rows: list[dict[str, Any]]) -> list[str]:
    return sorted(str(row["id"]) for row in rows)


async def test_a_request_without_the_key_is_forbidden_whatever_its_path(client: httpx2.AsyncClient) -> None:
    for path in ("/machines", "/token-test/", "/authenticate/", "/nowhere"):
        answer = await client.post(path, headers={"x-api-key": "other"}, json={})
        assert (answer.status_code, answer.json()) == (403, {"message": "Forbidden"})


async def test_signing_in(client: httpx2.AsyncClient) -> None:
    answer = await client.post("/authenticate/", json=LOGIN)
    found = answer.json()
    assert found["userName"] == CREDENTIALS["username"]
    assert (found["issued"], found["expires"]) == ("3/4/2026 3:06:07 PM", "3/7/2026 3:06:07 PM")
    refused = await client.post("/authenticate/", json=LOGIN | {"password": "guess"})
    assert (refused.status_code, refused.json()["code"]) == (403, "INVALID_LOGIN")
    assert (await client.post("/token-test/")).json() == "Access token was valid"


async def test_a_token_is_needed_and_lives_three_days(client: httpx2.AsyncClient, clock: Clock) -> None:
    async def status() -> int:
        return (await client.post("/organizations", json={})).status_code

    clock.advance(days=3, seconds=-1)
    assert await status() == 200
    clock.advance(seconds=1)
    assert await status() == 401
    await sign_in(client)
    assert await status() == 200
    del client.headers["access-token"]
    answer = await client.post("/organizations", json={})
    assert (answer.status_code, set(answer.json())) == (401, {"code", "message"})


@pytest.mark.parametrize(
    "path",
    ["/transactions", "/machines/", "/inventory/", "/selections/", "/alerts", "/authenticate", "/nowhere"],
)
async def test_a_path_is_taken_to_the_letter(client: httpx2.AsyncClient, path: str) -> None:
    answer = await client.post(path, json={})
    assert answer.status_code in ({405} if path == "/alerts" else {404})


async def test_a_body_that_is_no_object_is_refused(client: httpx2.AsyncClient) -> None:
    for body in (b"[1]", b"{"):
        answer = await client.post("/machines", content=body)
        assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_REQUEST")
    assert (await client.post("/machines")).status_code == 200


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/organizations", "organizations"),
        ("/accounts", "accounts"),
        ("/sites", "sites"),
        ("/machines", "machines"),
        ("/selections", "slots"),
        ("/products", "products"),
    ],
)
async def test_lists_hold_all_there_is(reader: httpx2.AsyncClient, shared: VendNovation, path: str, kind: str) -> None:
    rows = await read_all(reader, path, size=50)
    assert ids(rows) == ids(shared.truth()[kind])
    assert len(set(ids(rows))) == len(rows)


async def test_the_fleet_is_as_large_as_it_should_be(shared: VendNovation) -> None:
    truth = shared.truth()
    sizes = {kind: len(truth[kind]) for kind in ("organizations", "accounts", "sites", "machines", "products")}
    assert sizes == {"organizations": 3, "accounts": 5, "sites": 12, "machines": 60, "products": 40}
    assert 2500 < len(truth["sales"]) <= 63 * 50
    assert len(truth["events"]) == 120
    per_machine = [sum(slot["machineId"] == machine["id"] for slot in truth["slots"]) for machine in truth["machines"]]
    assert min(per_machine) >= 10
    assert max(per_machine) <= 40


async def test_deleted_machines_are_shown_on_request(reader: httpx2.AsyncClient, shared: VendNovation) -> None:
    rows = await read_all(reader, "/machines", requestFilter={"includeDeleted": True})
    truth = shared.truth()
    assert ids(rows) == ids(truth["machines"] + truth["deleted_machines"])


async def test_sizes_over_the_maximum_are_clamped(reader: httpx2.AsyncClient) -> None:
    async def length(path: str, **headers: str) -> int:
        return len((await reader.post(path, headers=headers, json={})).json())

    assert await length("/selections", size="5000") == 100
    assert await length("/selections") == 100
    assert await length("/selections", size="7") == 7
    assert await length("/selections", size="100", page="99") == 0
    assert await length("/sessions/management/", size="100") <= 50


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/transactions/", "sales"),
        ("/inventory", "adjustments"),
        ("/alerts/", "events"),
    ],
)
async def test_walking_months_finds_the_whole_history(
    reader: httpx2.AsyncClient, shared: VendNovation, path: str, kind: str
) -> None:
    assert ids(await read_history(reader, path)) == ids(shared.truth()[kind])


@pytest.mark.parametrize(
    ("path", "when"), [("/transactions/", "recordedAtUtc"), ("/inventory", "adjustmentOccurredAt")]
)
async def test_a_range_over_a_month_loses_its_beginning(reader: httpx2.AsyncClient, path: str, when: str) -> None:
    long = await read_all(reader, path, requestFilter=window(START - timedelta(days=80), START))
    month = await read_all(reader, path, requestFilter=window(START - timedelta(days=31), START))
    assert ids(long) == ids(month)
    times = [row[when] for row in long]
    assert min(times) >= (START - timedelta(days=31)).replace(tzinfo=None).isoformat()
    assert times != sorted(times)
    assert times != sorted(times, reverse=True)


async def test_metadata_reaches_back_a_year(reader: httpx2.AsyncClient, shared: VendNovation) -> None:
    since, until = START - timedelta(days=100), START + timedelta(seconds=1)
    rows = await read_all(reader, "/transactions/metadata", requestFilter=window(since, until))
    assert len(rows) == len(shared.truth()["sales"])


async def test_without_dates_a_list_is_of_the_last_week(reader: httpx2.AsyncClient, shared: VendNovation) -> None:
    rows = await read_all(reader, "/transactions/")
    week = (START - timedelta(days=7)).replace(tzinfo=None).isoformat()
    end = START.replace(tzinfo=None).isoformat()
    assert ids(rows) == ids([row for row in shared.truth()["sales"] if week <= row["recordedAtUtc"] < end])


async def test_the_start_is_inclusive_and_the_end_is_not(reader: httpx2.AsyncClient, shared: VendNovation) -> None:
    sale = shared.truth()["sales"][0]
    at = datetime.fromisoformat(sale["recordedAtUtc"]).replace(tzinfo=UTC)
    second = timedelta(seconds=1)
    route = {"transactionIdentifiers": [sale["id"]]}

    async def found(since: datetime, until: datetime) -> list[str]:
        return ids(await read_all(reader, "/transactions/", requestFilter=window(since, until), routeFilter=route))

    assert await found(at, at + second) == [sale["id"]]
    assert await found(at - second, at) == []


async def test_a_date_that_is_none_is_refused(reader: httpx2.AsyncClient) -> None:
    answer = await reader.post("/transactions/", json={"requestFilter": {"startDate": "yesterday"}})
    assert answer.status_code == 400


async def test_id_filters_are_anded(reader: httpx2.AsyncClient, shared: VendNovation) -> None:
    machine = shared.truth()["machines"][0]
    by_id = {"machineIdentifiers": [str(machine["id"])]}
    rows = await read_all(reader, "/machines", requestFilter={"machineIdentifiers": [machine["prose"]]})
    assert ids(rows) == [str(machine["id"])]
    right, wrong = [machine["siteId"]], [machine["siteId"] + 1]
    assert len(await read_all(reader, "/machines", requestFilter=by_id | {"siteIds": right})) == 1
    assert await read_all(reader, "/machines", requestFilter=by_id | {"siteIds": wrong}) == []
    slots = await read_all(reader, "/selections", requestFilter=by_id)
    assert {slot["machineId"] for slot in slots} == {machine["id"]}
    assert ids(slots) == ids([slot for slot in shared.truth()["slots"] if slot["machineId"] == machine["id"]])


async def test_filters_that_a_route_does_not_know_are_ignored(reader: httpx2.AsyncClient, shared: VendNovation) -> None:
    all_machines = await read_all(reader, "/machines")
    unknown: tuple[dict[str, Any], ...] = (
        {"machineIds": [11301]},
        {"selectionIds": [700001]},
        {"machineIdentifiers": []},
    )
    for filters in unknown:
        assert await read_all(reader, "/machines", requestFilter=filters) == all_machines
    sale = shared.truth()["sales"][0]
    route = {"transactionIdentifiers": [sale["id"]]}
    assert len(await read_all(reader, "/transactions/metadata", routeFilter=route)) > 1


async def test_the_oddities_of_the_vendor_are_all_there(shared: VendNovation) -> None:
    truth = shared.truth()
    sales = truth["sales"]
    lines = [line for sale in sales for line in sale["lineItems"]]
    payments = [sale["paymentInformation"] for sale in sales]
    credits_ = [payment["creditInformation"] for payment in payments if payment["creditInformation"]]
    assert {type(sale["machineId"]) for sale in sales} == {int, str}
    assert {type(line["productId"]) for line in lines} == {int, str}
    assert -1 in {line["productId"] for line in lines}
    assert {"Credit", "Cash", "Account", "A ", "Unknown", "Wallet"} == {each["type"] for each in payments}
    statuses = {each["paymentStatus"] for each in credits_}
    assert statuses >= {"charged", "authorized", "void", "error", "unknown", "disputed"}
    assert {line["vendWasSuccessful"] for line in lines} == {True, False}
    assert any(line["unitPrice"] * 100 % 1 for line in lines)
    assert {None, -1} <= {slot["productId"] for slot in truth["slots"]}
    assert {None, "0001-01-01T00:00:00"} <= {alert["clearedAt"] for alert in truth["events"]}
    assert "Pacific Standard Time" in {site["timeZone"] for site in truth["sites"]}
    assert {"take", "stock", "adjustment", "spoilage", None} == {row.get("eventType") for row in truth["adjustments"]}
    assert {-1, 1} <= {row["adjustmentSize"] for row in truth["adjustments"] if row.get("eventType") == "take"}
    assert {len(sale["recordedAtUtc"]) for sale in sales} >= {19, 22, 23}


async def test_local_times_lose_half_of_the_day_in_some_rows(shared: VendNovation) -> None:
    phoenix = {site["id"] for site in shared.truth()["sites"] if site["timeZone"] == "US Mountain Standard Time"}
    assert phoenix
    gaps = {
        datetime.fromisoformat(line["occurredAtUtc"]) - datetime.fromisoformat(line["occurredAtLocalTime"])
        for sale in shared.truth()["sales"]
        if sale["siteId"] in phoenix
        for line in sale["lineItems"]
    }
    assert gaps == {timedelta(hours=7), timedelta(hours=19)}


async def test_money_adds_up(shared: VendNovation) -> None:
    def exact(number: float) -> Decimal:
        return Decimal(str(number))

    for sale in shared.truth()["sales"]:
        lines = sale["lineItems"]
        assert all(exact(line["totalPrice"]) == exact(line["unitPrice"]) * line["quantity"] for line in lines)
        tax = sum(exact(line["taxCharged"]) for line in lines)
        assert exact(sale["totalTax"]) == tax
        assert exact(sale["totalPrice"]) == tax + sum(exact(line["totalPrice"]) for line in lines)


async def test_stock_tells_one_story(shared: VendNovation) -> None:
    counts = {
        (str(slot["machineId"]), slot["friendlyNumber"]): (slot["count"], slot["depth"])
        for slot in shared.truth()["slots"]
    }
    latest: dict[tuple[str, str], dict[str, Any]] = {}
    for row in sorted(shared.truth()["adjustments"], key=lambda row: str(row["adjustmentOccurredAt"])):
        latest[str(row["machineId"]), row["selection"]] = row
    known = [key for key in latest if key in counts]
    assert len(known) > 100
    for key in known:
        count, depth = counts[key]
        assert latest[key]["newStockLevel"] == count
        assert 0 <= count <= depth


async def test_product_sales_count_what_left_the_machine(reader: httpx2.AsyncClient, shared: VendNovation) -> None:
    since = START - timedelta(days=31)
    rows = await read_all(reader, "/reports/product-sales-stats", requestFilter=window(since, START))
    sold = sum(
        line["quantity"]
        for sale in shared.truth()["sales"]
        if since.replace(tzinfo=None).isoformat() <= sale["recordedAtUtc"] < START.replace(tzinfo=None).isoformat()
        for line in sale["lineItems"]
        if line["vendWasSuccessful"]
    )
    assert sum(row["totalSalesInTimeFrame"] for row in rows) == sold


async def test_heartbeats_follow_the_clock(client: httpx2.AsyncClient, clock: Clock) -> None:
    async def seen() -> dict[int, str]:
        return {row["id"]: row["lastHeartBeat"]["server"] for row in await read_all(client, "/machines")}

    before = await seen()
    recent = (START - timedelta(minutes=45)).replace(tzinfo=None).isoformat()
    online = {machine for machine, moment in before.items() if moment > recent}
    assert online
    clock.advance(hours=5)
    await sign_in(client)
    after = await seen()
    assert {machine for machine in after if after[machine] != before[machine]} == online


async def test_a_sale_made_now_is_found_and_takes_stock(
    vendor: VendNovation, client: httpx2.AsyncClient, clock: Clock
) -> None:
    machine = next(row for row in vendor.truth()["machines"] if row["enableSlotCountTracking"])
    name = str(machine["id"])
    counts = sum(slot["count"] for slot in vendor.truth()["slots"])
    clock.advance(minutes=1, microseconds=345678)
    made = vendor.make_sales(5, machine=name)
    assert {str(sale["machineId"]) for sale in made} == {name}
    assert {sale["recordedAtUtc"] for sale in made} == {"2026-03-04T15:07:07.345"}
    clock.advance(seconds=1)
    filters = window(START + timedelta(seconds=1), clock.moment)
    assert ids(await read_all(client, "/transactions/", requestFilter=filters)) == ids(made)
    taken = await read_all(client, "/inventory", requestFilter=filters)
    assert {row["eventType"] for row in taken} == {"take"}
    assert counts - sum(slot["count"] for slot in vendor.truth()["slots"]) == len(taken)
    with pytest.raises(KeyError):
        vendor.make_sales(1, machine="no such machine")


def full_slot(vendor: VendNovation) -> dict[str, Any]:
    awake = {
        row["id"]
        for row in vendor.truth()["machines"]
        if row["lastHeartBeat"]["server"] > (START - timedelta(minutes=45)).replace(tzinfo=None).isoformat()
    }
    return next(
        dict(slot)
        for slot in vendor.truth()["slots"]
        if slot["count"] > 1 and slot["count"] < slot["depth"] and slot["machineId"] in awake
    )


async def show_machine(client: httpx2.AsyncClient, machine: int) -> dict[str, Any]:
    rows = await read_all(client, "/machines", requestFilter={"machineIdentifiers": [str(machine)]})
    return rows[0]


async def test_a_changed_price_waits_for_the_next_check_in(
    vendor: VendNovation, client: httpx2.AsyncClient, clock: Clock
) -> None:
    slot = full_slot(vendor)
    answer = await client.patch("/selections", json={"body": [slot | {"price": 9.8765, "friendlyNumber": "Z9"}]})
    assert answer.json() == [slot | {"price": 9.8765}]
    assert (await show_machine(client, slot["machineId"]))["hasPlanogramChange"] is True
    assert await read_all(client, "/inventory", requestFilter=window(START, START + timedelta(days=1))) == []
    clock.advance(minutes=45)
    assert (await show_machine(client, slot["machineId"]))["hasPlanogramChange"] is False


async def test_a_changed_count_makes_an_adjustment(vendor: VendNovation, client: httpx2.AsyncClient) -> None:
    slot = full_slot(vendor)
    changed = slot | {"count": slot["count"] - 2, "selectionNumber": int(slot["selectionNumber"])}
    answer = await client.patch("/selections", json={"body": [changed]})
    assert answer.json() == [slot | {"count": slot["count"] - 2}]
    filters = window(START, START + timedelta(days=1))
    rows = await read_all(client, "/inventory", requestFilter=filters)
    assert [(row["eventType"], row["adjustmentSize"], row["newStockLevel"]) for row in rows] == [
        ("adjustment", -2, slot["count"] - 2)
    ]
    assert (await show_machine(client, slot["machineId"]))["hasPlanogramChange"] is False


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"alertLevel": 4, "restockAt": 3}, 422, "SELECTION_VALIDATION"),
        ({"price": -1}, 422, "SELECTION_VALIDATION"),
        ({"productId": 1}, 403, "UNAUTHORIZED_DATA_ACCESS"),
        ({"id": 1}, 403, "UNAUTHORIZED_DATA_ACCESS"),
    ],
)
async def test_wrong_selections_change_nothing(
    vendor: VendNovation, client: httpx2.AsyncClient, change: dict[str, Any], status: int, code: str
) -> None:
    slot = full_slot(vendor)
    before = str(vendor.truth()["slots"])
    rows = [slot | {"price": 1}, slot | change]
    answer = await client.patch("/selections", json={"body": rows})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert str(vendor.truth()["slots"]) == before


async def test_a_selection_must_be_sent_whole(vendor: VendNovation, client: httpx2.AsyncClient) -> None:
    answer = await client.patch("/selections", json={"body": [{"id": full_slot(vendor)["id"], "price": 2}]})
    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_REQUEST")
    assert (await client.patch("/selections", json={"body": {}})).status_code == 400


async def test_a_delta_sent_twice_counts_twice(vendor: VendNovation, client: httpx2.AsyncClient) -> None:
    slot = full_slot(vendor)
    sent = {"body": [{"selectionId": slot["id"], "delta": -1}]}
    counts = [(await client.post("/selections/apply-delta", json=sent)).json()[0]["count"] for _ in range(2)]
    assert counts == [slot["count"] - 1, slot["count"] - 2]
    too_many = {"body": [{"selectionId": slot["id"], "delta": -100}]}
    assert (await client.post("/selections/apply-delta", json=too_many)).status_code == 422
    for wrong in ({"delta": True}, {"delta": "1"}, {"delta": None}):
        row = {"selectionId": slot["id"], **wrong}
        assert (await client.post("/selections/apply-delta", json={"body": [row]})).status_code == 422
    more = {"body": [{"selectionId": slot["id"], "delta": 1, "count": 5}]}
    assert (await client.post("/selections/apply-delta", json=more)).status_code == 400


async def test_alerts_are_cleared_once(vendor: VendNovation, client: httpx2.AsyncClient) -> None:
    active = [row for row in vendor.truth()["events"] if not row["isCleared"] and row["code"] != "OF"]
    first = active[0]["id"]

    async def clear(key: int) -> httpx2.Response:
        return await client.post("/alerts/clear", json={"routeFilter": {"alertIds": [key]}})

    assert (await clear(first)).status_code == 204
    refused = await clear(first)
    assert (refused.status_code, refused.json()["code"]) == (400, "ALREADY_CLEARED")
    update = {"id": first, "isCleared": False, "message": "Seen to", "code": "XX"}
    changed = (await client.patch("/alerts", json={"body": [update]})).json()[0]
    assert (changed["isCleared"], changed["message"], changed["code"]) == (True, "Seen to", active[0]["code"])


async def test_an_alert_is_cleared_by_naming_when(vendor: VendNovation, client: httpx2.AsyncClient) -> None:
    offline, other = (
        next(row for row in vendor.truth()["events"] if not row["isCleared"] and (row["code"] == "OF") is is_offline)
        for is_offline in (True, False)
    )
    refused = await client.post("/alerts/clear", json={"routeFilter": {"alertIds": [offline["id"]]}})
    assert (refused.status_code, refused.json()["code"]) == (422, "UNCLEARABLE")
    update = {"id": other["id"], "clearedAt": "2026-03-04T10:00:00"}
    changed = (await client.patch("/alerts", json={"body": [update]})).json()[0]
    assert (changed["isCleared"], changed["clearedAt"]) == (True, "2026-03-04T10:00:00")


async def test_sites_are_created_once_a_name(vendor: VendNovation, client: httpx2.AsyncClient) -> None:
    site = {"AccountId": 301, "OrgId": 101, "Name": "Annex", "TimeZone": "Pacific Standard Time"}
    created = await client.put("/sites", json={"body": [site]})
    assert created.json() == [1613]
    assert (await client.put("/sites", json={"body": [site]})).json()["code"] == "NAME_UNIQUENESS"
    nameless = await client.put("/sites", json={"body": [{"AccountId": 301}]})
    assert (nameless.status_code, nameless.json()["code"]) == (422, "SITE_VALIDATION")
    machine = vendor.truth()["machines"][0]["id"]
    moved = await client.patch("/machines", json={"body": [{"id": machine, "siteId": 1613}]})
    assert moved.json()[0]["siteId"] == 1613
    assert ids(await read_all(client, "/machines", requestFilter={"siteIds": [1613]})) == [str(machine)]
    assert await read_all(client, "/selections", requestFilter={"siteIds": [1613]}) != []


async def test_provisioning_needs_a_call_in_code(vendor: VendNovation, client: httpx2.AsyncClient) -> None:
    waiting = next(row for row in vendor.truth()["machines"] if row["callInCode"])

    async def provision(*names: str) -> int:
        filters = {"organizationIds": [waiting["organizationId"]], "machineIdentifiers": list(names)}
        return (await client.post("/machines/provision", json={"requestFilter": filters})).status_code

    assert await provision() == 400
    assert await provision("nowhere") == 403
    assert await provision(waiting["prose"]) == 204
    assert await provision(waiting["prose"]) == 422


async def test_sessions_and_their_events(client: httpx2.AsyncClient, clock: Clock) -> None:
    created = (await client.put("/sessions/management/", json={"body": [{"reason": "audit"}]})).json()
    clock.advance(seconds=1)
    route = {"sessionIds": created}
    sessions = await read_all(client, "/sessions/management/", size=50, routeFilter=route)
    assert [(row["id"], row["source"]) for row in sessions] == [(created[0], "Web")]
    events = [
        await read_all(client, "/sessions/management/events/", 50, verb, routeFilter=route)
        for verb in ("PATCH", "POST")
    ]
    assert events[0] == events[1]
    assert [(row["sessionIdId"], row["eventType"]) for row in events[0]] == [(created[0], "Login")]


async def test_a_burst_is_turned_away_and_the_bucket_refills(client: httpx2.AsyncClient, clock: Clock) -> None:
    answers = [await client.post("/organizations", json={}) for _ in range(100)]
    assert [answer.status_code for answer in answers] == [200] * 99 + [429]
    assert answers[-1].json() == {"message": "Too Many Requests"}
    clock.advance(seconds=0.5)
    statuses = [(await client.post("/organizations", json={})).status_code for _ in range(11)]
    assert statuses == [200] * 10 + [429]


async def test_a_quota_ends_at_midnight(clock: Clock) -> None:
    vendor = VendNovation(World(start=START, scale=0.05, now=clock), per_day=3)
    async with client_of(vendor) as client:
        await sign_in(client)
        answers = [await client.post("/organizations", json={}) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert answers[-1].json() == {"message": "Limit Exceeded"}
        clock.moment = datetime(2026, 3, 5, tzinfo=UTC)
        assert (await client.post("/organizations", json={})).status_code == 200


def test_the_same_seed_gives_the_same_fleet(shared: VendNovation) -> None:
    again, other = (VendNovation(World(start=START, now=lambda: START, seed=seed)) for seed in (7, 8))
    assert again.truth()["products"] == shared.truth()["products"]
    assert again.truth()["sales"] == shared.truth()["sales"]
    assert other.truth()["sales"] != shared.truth()["sales"]


def test_the_account_points_at_the_sandbox(shared: VendNovation) -> None:
    account = shared.account("http://127.0.0.1:9000")
    assert account["base_url"] == "http://127.0.0.1:9000/vendnovation/prod"
    assert (account["key"], account["organization"], account["currency"]) == ("acme-vending", "acme", "USD")
    assert account["credentials"] == CREDENTIALS
