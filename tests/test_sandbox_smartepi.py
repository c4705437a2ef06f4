"""The emulated SmartEPI, called as a connector would call it."""

import hmac
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from sandbox.smartepi import API_KEY, WEBHOOK, SmartEPI
from sandbox.world import World

START = datetime(2026, 3, 4, 15, 6, 7, tzinfo=UTC)
NOW = int(START.timestamp())


class Clock:
    def __init__(self) -> None:
        self.moment = START

    def __call__(self) -> datetime:
        return self.moment


@pytest.fixture
def clock() -> Clock:
    return Clock()


def client_of(vendor: SmartEPI) -> httpx2.AsyncClient:
    app = Starlette(routes=[Mount("/smartepi", routes=vendor.routes())])
    return httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=app),
        base_url="http://sandbox/smartepi/v1",
        headers={"authorization": f"Bearer {API_KEY}"},
    )


@pytest.fixture
def vendor(clock: Clock) -> SmartEPI:
    return SmartEPI(World(start=START, now=clock))


@pytest.fixture
async def client(vendor: SmartEPI) -> AsyncIterator[httpx2.AsyncClient]:
    async with client_of(vendor) as client:
        yield client


async def read_all(client: httpx2.AsyncClient, path: str, **params: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    sent = {"limit": "100"} | params
    while True:
        answer = await client.get(path, params=sent)
        assert answer.status_code == 200, answer.text
        found += answer.json()["data"]
        if answer.json()["cursor"] is None:
            return found
        sent = sent | {"cursor": answer.json()["cursor"]}


def ids(rows: list[dict[str, Any]]) -> list[str]:
    return sorted(row["id"] for row in rows)


def assert_problem(answer: httpx2.Response, status: int, token: str) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-request-id"]
    assert set(answer.json()) == {"type", "title", "status", "detail"}
    assert (answer.json()["status"], answer.json()["type"]) == (status, f"urn:smartepi:error:{token}")


async def test_no_key_is_unauthorized_and_a_wrong_one_is_denied(client: httpx2.AsyncClient) -> None:
    wrong = await client.get("/employees", headers={"authorization": "Bearer sk_live_other"})
    basic = await client.get("/employees", headers={"authorization": API_KEY})
    del client.headers["authorization"]
    missing = await client.get("/employees")
    assert (missing.status_code, missing.json()) == (401, {"message": "Unauthorized"})
    assert wrong.status_code == basic.status_code == 403
    assert wrong.json()["Message"].endswith("explicit deny")
    assert not any("x-request-id" in answer.headers for answer in (wrong, basic, missing))


async def test_more_requests_than_the_window_holds(clock: Clock) -> None:
    async with client_of(SmartEPI(World(start=START, scale=0.1, now=clock), requests=2, per_seconds=10)) as client:
        answers = [await client.get("/sectors") for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert answers[-1].json() == {"message": "Limit Exceeded"}
        clock.moment += timedelta(seconds=10)
        assert (await client.get("/sectors")).status_code == 200


async def test_paths_are_taken_to_the_letter(client: httpx2.AsyncClient) -> None:
    for path in ("/employees/", "/devices", "/withdrawals/"):
        assert (await client.get(path)).status_code == 404


@pytest.mark.parametrize(
    ("path", "count"),
    [
        ("/employees", 80),
        ("/products", 25),
        ("/sectors", 8),
        ("/cost-centers", 6),
        ("/job-roles", 7),
        ("/groups", 5),
        ("/access-groups", 4),
        ("/withdrawals", 1500),
        ("/returns", 150),
        ("/exchanges", 80),
    ],
)
async def test_paging_finds_everything_once(client: httpx2.AsyncClient, path: str, count: int) -> None:
    rows = await read_all(client, path)
    assert len(rows) == len(set(ids(rows))) == count


async def test_the_truth_is_what_the_lists_show(client: httpx2.AsyncClient, vendor: SmartEPI) -> None:
    truth = vendor.truth()
    sales = [row for path in ("/withdrawals", "/returns", "/exchanges") for row in await read_all(client, path)]
    assert ids(sales) == ids(truth["sales"])
    assert {row["deviceId"] for row in sales} == {machine["id"] for machine in truth["machines"]}
    assert len(truth["machines"]) == 30
    assert ids(await read_all(client, "/products")) == ids(truth["products"])
    assert truth["slots"] == truth["events"] == []


async def test_transactions_come_newest_first(client: httpx2.AsyncClient) -> None:
    times = [row["createdAt"] for row in await read_all(client, "/withdrawals")]
    assert times == sorted(times, reverse=True)
    assert times[0] <= NOW
    assert times[-1] < NOW - 80 * 86_400


async def test_the_oddities_of_the_vendor_are_all_there(vendor: SmartEPI) -> None:
    truth = vendor.truth()
    statuses = {row["withdrawalStatus"] for row in truth["sales"] if "withdrawalStatus" in row}
    assert statuses == {"SUCCESS", "FAILED", "JAMMED"}
    named = [row for row in truth["sales"] if row.get("deviceName")]
    assert {machine["name"] for machine in truth["machines"]} > {row["deviceName"] for row in named}
    assert any("deviceName" not in row for row in truth["sales"])
    assert {row["employeeId"] for row in truth["sales"]} > set(ids(truth["employees"]))
    assert {bool(product["certificates"]) for product in truth["products"]} == {True, False}


async def test_a_person_who_left_is_still_in_the_transactions(client: httpx2.AsyncClient, vendor: SmartEPI) -> None:
    present = set(ids(vendor.truth()["employees"]))
    gone = next(row["employeeId"] for row in vendor.truth()["sales"] if row["employeeId"] not in present)
    assert_problem(await client.get(f"/employees/{gone}"), 404, "not_found")
    rows = await read_all(client, "/withdrawals", employeeId=gone)
    assert rows
    assert {row["employeeId"] for row in rows} == {gone}


@pytest.mark.parametrize("limit", ["0", "101", "500", "ten", "1.5", "-1", "", "9" * 5000])
async def test_a_limit_out_of_range_is_refused(client: httpx2.AsyncClient, limit: str) -> None:
    assert_problem(await client.get("/products", params={"limit": limit}), 400, "bad_request")


async def test_a_page_holds_twenty_unless_told(client: httpx2.AsyncClient) -> None:
    assert len((await client.get("/products")).json()["data"]) == 20
    assert len((await client.get("/products", params={"limit": "25"})).json()["data"]) == 25
    assert (await client.get("/products", params={"limit": "25"})).json()["cursor"] is None


async def test_a_cursor_belongs_to_its_list(client: httpx2.AsyncClient) -> None:
    cursor = (await client.get("/withdrawals", params={"limit": "3"})).json()["cursor"]
    assert (await client.get("/withdrawals", params={"limit": "5", "cursor": cursor})).status_code == 200
    wrong: tuple[tuple[str, dict[str, str]], ...] = (
        ("/returns", {"cursor": cursor}),
        ("/withdrawals", {"cursor": cursor, "createdSince": "5"}),
        ("/withdrawals", {"cursor": "bm9uZQ=="}),
        ("/withdrawals", {"cursor": "é"}),
        ("/withdrawals", {"cursor": ""}),
    )
    for path, params in wrong:
        assert_problem(await client.get(path, params=params), 400, "bad_request")


async def test_rows_made_while_paging_are_missed_and_none_comes_twice(
    client: httpx2.AsyncClient, vendor: SmartEPI
) -> None:
    first = (await client.get("/withdrawals", params={"limit": "50"})).json()
    before = ids([row for row in vendor.truth()["sales"] if "withdrawalStatus" in row])
    vendor.make_sales(3)
    rest = await read_all(client, "/withdrawals", cursor=first["cursor"])
    assert ids(first["data"] + rest) == before


async def test_both_ends_of_a_window_belong_to_it(client: httpx2.AsyncClient) -> None:
    rows = await read_all(client, "/withdrawals")
    since, until = rows[700]["createdAt"], rows[400]["createdAt"]
    found = await read_all(client, "/withdrawals", createdSince=str(since), createdUntil=str(until))
    assert ids(found) == ids([row for row in rows if since <= row["createdAt"] <= until])
    assert len(found) >= 301
    assert_problem(await client.get("/withdrawals", params={"createdSince": "2026-01-01"}), 400, "bad_request")


async def test_filters_by_relationship_stand_alone(client: httpx2.AsyncClient, vendor: SmartEPI) -> None:
    product, ana = "prd-1", vendor.truth()["employees"][0]
    sector = ana["sectorId"]
    rows = await read_all(client, "/withdrawals", productId=product)
    assert ids(rows) == ids(
        [row for row in vendor.truth()["sales"] if "withdrawalStatus" in row and row["productId"] == product]
    )
    two = {"productId": product, "sectorId": sector}
    assert_problem(await client.get("/withdrawals", params=two), 400, "bad_request")
    dated = {"productId": product, "createdUntil": str(NOW)}
    assert_problem(await client.get("/withdrawals", params=dated), 400, "bad_request")
    people = await read_all(client, "/employees", sectorId=sector, name="a")
    assert ana in people
    assert all(row["sectorId"] == sector and row["name"].startswith("A") for row in people)


async def test_searches_are_by_the_beginning_and_in_order(client: httpx2.AsyncClient) -> None:
    names = [row["name"] for row in await read_all(client, "/employees", name="BRUNO", limit="4")]
    assert len(names) > 4
    assert names == sorted(names)
    assert {name.split()[0] for name in names} == {"Bruno"}
    assert await read_all(client, "/employees", name="silva") == []
    assert [row["code"] for row in await read_all(client, "/cost-centers", code="")] == [
        "100", "200", "300", "400", "500", "600",
    ]  # fmt: skip
    one = await read_all(client, "/employees", identification="70001")
    assert [row["identification"] for row in one] == ["70001"]


async def test_transactions_cannot_be_read_singly_or_written(client: httpx2.AsyncClient) -> None:
    for path in ("/withdrawals/w-1", "/returns/r-1", "/exchanges/x-1"):
        assert_problem(await client.get(path), 405, "method_not_allowed")
    assert_problem(await client.post("/withdrawals", json={}), 405, "method_not_allowed")
    assert_problem(await client.patch("/employees/emp-1", json={}), 405, "method_not_allowed")


async def test_a_record_from_birth_to_death(client: httpx2.AsyncClient) -> None:
    created = await client.post("/sectors", json={"name": "Laboratory"})
    assert (created.status_code, created.headers["etag"]) == (201, '"1"')
    sector = created.json()["data"]
    path = f"/sectors/{sector['id']}"
    assert created.headers["location"] == f"/smartepi/v1{path}"
    assert (await client.get("/sectors", params={"limit": "1"})).json()["data"] == [sector]
    changed = await client.put(path, json={"name": "Lab"}, headers={"if-match": '"1"'})
    assert (changed.headers["etag"], changed.json()["data"]) == ('"2"', {"id": sector["id"], "name": "Lab"})
    assert (await client.get(path)).headers["etag"] == '"2"'
    gone = await client.delete(path, headers={"if-match": '"2"'})
    assert gone.json() == changed.json()
    assert_problem(await client.get(path), 404, "not_found")
    assert_problem(await client.delete(path, headers={"if-match": '"2"'}), 404, "not_found")


async def test_a_change_names_the_version_it_is_for(client: httpx2.AsyncClient) -> None:
    path = "/products/prd-3"
    etag = (await client.get(path)).headers["etag"]
    version = int(etag.strip('"'))
    assert_problem(await client.put(path, json={"code": "X"}), 400, "bad_request")
    assert_problem(await client.delete(path), 400, "bad_request")
    for stale in ('"99"', etag.strip('"'), "*"):
        answer = await client.put(path, json={"code": "X"}, headers={"if-match": stale})
        assert_problem(answer, 409, "conflict")
    changed = await client.put(path, json={"code": "X", "_version": version})
    assert changed.status_code == 200
    assert "_version" not in changed.json()["data"]
    assert_problem(await client.delete(path, params={"_version": str(version)}), 409, "conflict")
    assert (await client.delete(path, params={"_version": str(version + 1)})).status_code == 200


async def test_what_is_not_sent_stays(client: httpx2.AsyncClient) -> None:
    before = await client.get("/employees/emp-1")
    sent = {"status": "INACTIVE", "email": None}
    after = await client.put("/employees/emp-1", json=sent, headers={"if-match": before.headers["etag"]})
    assert after.json()["data"] == before.json()["data"] | {"status": "INACTIVE"}


async def test_parts_of_a_product_are_upserted_by_id(client: httpx2.AsyncClient) -> None:
    before = await client.get("/products/prd-1")
    sizes = before.json()["data"]["sizes"]
    sent = {"sizes": [{"id": sizes[0]["id"], "name": "6"}, {"name": "11"}]}
    after = await client.put("/products/prd-1", json=sent, headers={"if-match": before.headers["etag"]})
    assert [size["name"] for size in after.json()["data"]["sizes"]] == ["6", "8", "9", "10", "11"]
    assert len({size["id"] for size in after.json()["data"]["sizes"]}) == 5
    foreign = {"sizes": [{"id": "other", "name": "6"}]}
    answer = await client.put("/products/prd-1", json=foreign, headers={"if-match": after.headers["etag"]})
    assert_problem(answer, 422, "invalid_reference")


@pytest.mark.parametrize(
    ("path", "sent", "refusal"),
    [
        ("/sectors", {"name": "assembly"}, (409, "duplicate_name")),
        ("/employees", {"name": "Eva", "identification": "70001"}, (409, "duplicate_identification")),
        ("/employees", {"name": "Eva", "email": "ANA.ALMEIDA@plant.example"}, (409, "duplicate_email")),
        ("/employees", {"name": "Eva", "costCenter2Id": "cc-99"}, (422, "invalid_reference")),
        ("/groups", {"name": "New", "rules": [{"productId": "prd-99"}]}, (422, "invalid_reference")),
        ("/groups", {"name": "New", "rules": ["prd-1"]}, (400, "bad_request")),
        ("/sectors", {"title": "New"}, (400, "bad_request")),
        ("/sectors", {"name": 7}, (400, "bad_request")),
        ("/sectors", {}, (400, "bad_request")),
        ("/sectors", ["New"], (400, "bad_request")),
    ],
)
async def test_what_cannot_be_created(
    client: httpx2.AsyncClient, vendor: SmartEPI, path: str, sent: Any, refusal: tuple[int, str]
) -> None:
    before = json.dumps(vendor.truth())
    assert_problem(await client.post(path, json=sent), *refusal)
    assert json.dumps(vendor.truth()) == before


async def test_an_employee_without_a_unique_key_is_created_twice(client: httpx2.AsyncClient) -> None:
    answers = [await client.post("/employees", json={"name": "Eva", "groupId": "grp-1"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json()["data"]["id"] != answers[1].json()["data"]["id"]
    assert answers[0].json()["data"]["status"] == "ACTIVE"


async def test_what_employees_belong_to_cannot_be_deleted(client: httpx2.AsyncClient) -> None:
    for path in ("/sectors/sec-1", "/cost-centers/cc-1", "/job-roles/job-1", "/groups/grp-1"):
        etag = (await client.get(path)).headers["etag"]
        assert_problem(await client.delete(path, headers={"if-match": etag}), 409, "resource_in_use")


async def test_withdrawals_made_now_are_the_newest(client: httpx2.AsyncClient, vendor: SmartEPI, clock: Clock) -> None:
    device = vendor.truth()["machines"][0]["id"]
    clock.moment += timedelta(seconds=5)
    made = vendor.make_sales(4, machine=device)
    assert {row["deviceId"] for row in made} == {device}
    found = await read_all(client, "/withdrawals", createdSince=str(NOW + 5))
    assert found == made[::-1]
    with pytest.raises(KeyError):
        vendor.make_sales(1, machine="dev_none")


def test_a_delivery_is_signed_over_its_time_and_bytes(vendor: SmartEPI) -> None:
    record = vendor.truth()["sales"][0]
    body, headers = vendor.webhook(record)
    event = json.loads(body)
    assert (event["id"], event["type"]) == (f"evt_withdrawal_created_{record['id']}", "withdrawal.created")
    assert event["data"] == record
    expected = hmac.new(WEBHOOK["secret"].encode(), str(NOW).encode() + b"." + body, "sha256").hexdigest()
    assert headers["X-SmartEPI-Signature"] == f"t={NOW},v1={expected}"
    assert json.loads(vendor.webhook(vendor.truth()["sales"][-1])[0])["type"] == "exchange.created"


def test_the_same_seed_gives_the_same_history(vendor: SmartEPI) -> None:
    again, other = (SmartEPI(World(start=START, now=lambda: START, seed=seed)) for seed in (7, 8))
    assert again.truth() == vendor.truth()
    assert other.truth()["sales"] != vendor.truth()["sales"]


def test_the_account_points_at_the_sandbox(vendor: SmartEPI) -> None:
    account = vendor.account("http://127.0.0.1:9000")
    assert account["base_url"] == "http://127.0.0.1:9000/smartepi/v1"
    assert (account["key"], account["organization"]) == ("acme-safety", "acme")
    assert (account["credentials"], account["webhook"]) == ({"api_key": API_KEY}, WEBHOOK)
