"""What vendors keep beside machines and sales, through the graph."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from domain.refs import Kind, Ref
from tests.catalogue import account, done, ended, refusal, when
from tests.expected import utc
from tests.running import ADMIN, OPERATOR, STRANGER, VIEWER, Gateway, Sandbox, moment, running_gateway

NO_LIMITS = "requests = 1000000\nper_seconds = 1"
VENDING, KIOSKS = account("acme-vending"), account("acme-kiosks")
TYPES = """{ accounts { key eventTypes { code category severity description } }
  events(first: 500) { nodes { vendor code type { code description } } } }"""
CUSTOMERS = "{ accounts { key customerAccounts { vendorId name } } }"
NOW = "{ machines(first: 500) { nodes { vendor vendorId connectivity connectivityNow } } }"
TERMINALS = """{ machines(first: 500) { nodes { vendor vendorId terminal { language font paymentType minimumAge
  preauthorized { amount currency } observedAt vendorData
  owner { vendorId name currency support { email hotline availability } contact { name email } } } } } }"""
METADATA = """{ sales(first: 150, filter: {vendors: [VENDNOVATION, LIVELLO]}) { nodes { vendor vendorId
  metadata { tags { key value } files { vendorId type } lines { vendorId recordedAt occurredAt tags { key } } } } } }"""
SOLD = """query ($id: ID!, $from: DateTime!, $to: DateTime!) { node(id: $id) { ... on VendorAccount {
  productsSold(from: $from, to: $to) { product { vendorId } sold } } } }"""
SESSIONS = """query ($id: ID!, $from: DateTime!, $to: DateTime!) {
  node(id: $id) { ... on VendorAccount { serviceSessions(from: $from, to: $to) { ...of } } }
  machines(first: 500, filter: {vendors: [VENDNOVATION]}) { nodes { id vendorId
    serviceSessions(from: $from, to: $to) { ...of } } } }
  fragment of on ServiceSession { vendorId machine { vendorId } startedAt endedAt login reason loginSucceeded abandoned
    source events { vendorId kind at details } }"""
Found = dict[str, Any]


@pytest.fixture(scope="module")
def gateway(shared_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    throttle = shared_sandbox.vendors["vendnovation"]._throttle
    throttle._burst = throttle._left = 10**6
    with running_gateway(shared_sandbox, tmp_path_factory.mktemp("backoffice"), limits=NO_LIMITS) as gateway:
        yield gateway


def span(days: float) -> Found:
    now = datetime.now(UTC)
    return {"from": (now - timedelta(days=days)).isoformat(), "to": now.isoformat()}


def test_kinds_of_events_are_told_and_kept(gateway: Gateway, sandbox: Sandbox) -> None:
    found = gateway.ask(TYPES)
    by_key = {one["key"]: one["eventTypes"] for one in found["accounts"]}
    assert by_key.pop("acme-kiosks")[0] == {
        "code": "HighTemperature",
        "category": "Operational",
        "severity": "CRITICAL",
        "description": "The temperature is above its limit",
    }
    codes = {one["code"]: one["description"] for one in by_key.pop("acme-vending")}
    assert codes["NS"] == "No sales in 24 hours"
    assert set(by_key.values()) == {None}
    told = {one["vendor"] for one in found["events"]["nodes"] if one["type"] is not None}
    assert told == {"LIVELLO", "VENDNOVATION"}
    for one in found["events"]["nodes"]:
        assert one["type"] is None or one["type"]["code"] == one["code"]
    sandbox.forget_requests()
    assert gateway.ask(TYPES) == found
    assert not any("types" in request or "codes" in request for request in sandbox.requests())


def test_customers_are_told(gateway: Gateway, sandbox: Sandbox) -> None:
    by_key = {one["key"]: one["customerAccounts"] for one in gateway.ask(CUSTOMERS)["accounts"]}
    rows = sandbox.truth("vendnovation")["accounts"]
    told = {(one["vendorId"], one["name"]) for one in by_key.pop("acme-vending")}
    assert told == {(str(row["id"]), row["name"]) for row in rows}
    assert set(by_key.values()) == {None}


def test_a_machine_is_asked_for_as_it_is_at_this_moment(gateway: Gateway, sandbox: Sandbox) -> None:
    gateway.ask("{ machines { nodes { id } } }")
    sandbox.forget_requests()
    nodes = gateway.ask(NOW)["machines"]["nodes"]
    for one in nodes:
        assert one["connectivityNow"] == (one["connectivity"] if one["vendor"] == "SMARTVEND" else None)
    asked = [request for request in sandbox.requests() if request.endswith("get-controller-connection-status")]
    assert len(asked) == sum(one["vendor"] == "SMARTVEND" for one in nodes)


def test_what_the_vendor_calls_it_otherwise_is_not_known(gateway: Gateway, sandbox: Sandbox) -> None:
    row = next(iter(sandbox.vendors["smartvend"]._fleet.controllers.values()))
    before, row["connectionStatus"] = row["connectionStatus"], "elsewhere"
    try:
        id_ = Ref(Kind.MACHINE, "acme-coffee", row["id"]).text
        query = "query ($id: ID!) { machine(id: $id) { connectivityNow } }"
        found = when(
            lambda: gateway.ask(query, {"id": id_})["machine"], lambda one: one["connectivityNow"] == "UNKNOWN"
        )
    finally:
        row["connectionStatus"] = before
    assert found == {"connectivityNow": "UNKNOWN"}


def test_how_a_kiosk_meets_its_customers(gateway: Gateway, sandbox: Sandbox) -> None:
    nodes = gateway.ask(TERMINALS)["machines"]["nodes"]
    kiosks = [one for one in nodes if one["vendor"] == "LIVELLO"]
    assert kiosks
    for one in kiosks:
        told, row = one["terminal"], sandbox.vendors["livello"]._fleet.detail(one["vendorId"])
        controller, owner = row["controller"], row["ownerOrganization"]
        assert (told["language"], told["font"]) == (controller["tabletLang"], controller["tabletFont"])
        assert (told["paymentType"], told["minimumAge"]) == (controller["paymentType"], controller["minimumAge"])
        assert Decimal(told["preauthorized"]["amount"]) == controller["preAuth"]
        assert told["preauthorized"]["currency"] == owner["currency"] == told["owner"]["currency"]
        assert (told["owner"]["vendorId"], told["owner"]["name"]) == (owner["_id"], owner["name"])
        assert told["owner"]["support"]["hotline"] == owner["support"]["hotline"]
        assert told["owner"]["contact"]["email"] == owner["contact"]["email"]
        assert "contact" not in told["vendorData"]["ownerOrganization"]
    assert {one["terminal"] is None for one in nodes if one["vendor"] != "LIVELLO"} == {True}


def test_whom_to_ask_there_is_not_for_viewers(gateway: Gateway) -> None:
    nodes = gateway.post(TERMINALS, key=VIEWER).json()["data"]["machines"]["nodes"]
    owners = [one["terminal"]["owner"] for one in nodes if one["terminal"] is not None]
    assert owners
    assert all(owner["contact"] is None and owner["support"] is not None for owner in owners)


def test_a_kiosks_record_names_nobody_to_viewers(gateway: Gateway) -> None:
    """As little as the record of the machine itself."""
    for key, told in ((ADMIN, True), (VIEWER, False)):
        nodes = gateway.post(TERMINALS, key=key).json()["data"]["machines"]["nodes"]
        owners = [one["terminal"]["vendorData"]["ownerOrganization"] for one in nodes if one["terminal"] is not None]
        assert owners
        assert {"support" in owner for owner in owners} == {told}
        assert all("name" in owner for owner in owners)


def test_notes_to_many_sales_are_read_together(gateway: Gateway, sandbox: Sandbox) -> None:
    sandbox.forget_requests()
    nodes = gateway.ask(METADATA, key=OPERATOR)["sales"]["nodes"]
    kept = {one.record["transactionId"]: one.record for one in sandbox.vendors["vendnovation"]._sales.metadata}
    mine = [one for one in nodes if one["vendor"] == "VENDNOVATION"]
    assert any(one["metadata"]["tags"] for one in mine)
    for one in mine:
        row = kept[one["vendorId"]]
        assert one["metadata"]["tags"] == row["tags"]
        lines = [(line["vendorId"], moment(line["occurredAt"])) for line in one["metadata"]["lines"]]
        assert lines == [(str(line["lineItemId"]), utc(line["occurredAtUtc"])) for line in row["lineItems"]]
    asked = [request for request in sandbox.requests("vendnovation") if request.endswith("/transactions/metadata")]
    assert len(asked) <= -(-len(mine) // 100) + 1
    assert {one["metadata"] is None for one in nodes if one["vendor"] == "LIVELLO"} == {True}


def test_notes_to_sales_are_not_for_viewers(gateway: Gateway, sandbox: Sandbox) -> None:
    sandbox.forget_requests()
    nodes = gateway.ask(METADATA, key=VIEWER)["sales"]["nodes"]
    assert {one["metadata"] is None for one in nodes} == {True}
    assert not any("metadata" in request for request in sandbox.requests())


def test_viewers_are_told_that_notes_are_kept_from_them(gateway: Gateway) -> None:
    query = "{ sales(first: 20) { nodes { metadata { tags { key } } unavailable { field reason } } } }"
    for key, told in ((OPERATOR, False), (VIEWER, True)):
        nodes = gateway.ask(query, key=key)["sales"]["nodes"]
        assert nodes
        kept_back = {"field": "metadata", "reason": "NOT_PERMITTED"}
        assert {kept_back in one["unavailable"] for one in nodes} == {told}


def test_what_was_handed_out_is_summed_up_over_wide_spans(gateway: Gateway, sandbox: Sandbox) -> None:
    told = gateway.ask(SOLD, {"id": VENDING, **span(40)})["node"]["productsSold"]
    since = datetime.now(UTC) - timedelta(days=40)
    expected: Counter[str | None] = Counter()
    for sale in sandbox.truth("vendnovation")["sales"]:
        if utc(sale["recordedAtUtc"]) >= since:
            for line in sale["lineItems"]:
                if line["vendWasSuccessful"]:
                    product = str(line["productId"])
                    expected[None if product == "-1" else product] += line["quantity"]
    assert {one["product"] and one["product"]["vendorId"]: one["sold"] for one in told} == dict(expected)
    assert [one["sold"] for one in told] == sorted((one["sold"] for one in told), reverse=True)
    assert gateway.ask(SOLD, {"id": KIOSKS, **span(40)})["node"]["productsSold"] is None


@pytest.mark.parametrize(("query", "days"), [(SOLD, 367), (SOLD, -1), (SESSIONS, 32), (SESSIONS, -1)])
def test_a_span_that_is_none_is_refused(query: str, days: int, gateway: Gateway) -> None:
    answer = gateway.post(query, {"id": VENDING, **span(days)}).json()
    assert {error["extensions"]["code"] for error in answer["errors"]} == {"BAD_INPUT"}


def test_who_worked_at_machines_is_told(gateway: Gateway, sandbox: Sandbox) -> None:
    asked = {"id": VENDING, **span(31)}
    sandbox.forget_requests()
    found = gateway.ask(SESSIONS, asked, key=OPERATOR)
    listed = [one for one in sandbox.requests() if one.endswith("POST /vendnovation/prod/sessions/management/")]
    rows = {str(row["id"]): row for row in sandbox.truth("vendnovation")["sessions"]}
    recent = {key for key, row in rows.items() if utc(row["startedAtUtc"]) >= moment(asked["from"])}
    told = found["node"]["serviceSessions"]
    assert {one["vendorId"] for one in told} == recent
    assert len(listed) == -(-len(recent) // 50)
    for one in told:
        row = rows[one["vendorId"]]
        assert (one["login"], one["source"], one["abandoned"]) == (row["login"], row["source"], row["wasAbandoned"])
        assert moment(one["startedAt"]) == utc(row["startedAtUtc"])
        assert [event["kind"] for event in one["events"]] == ["Login"]
    deleted = {str(row["id"]) for row in sandbox.truth("vendnovation")["deleted_machines"]}
    by_machine = {one["vendorId"]: one["serviceSessions"] for one in found["machines"]["nodes"]}
    for one in told:
        native = str(rows[one["vendorId"]]["machineId"])
        assert native in deleted or one in by_machine[native]


def test_who_worked_where_is_not_for_viewers_and_strangers(gateway: Gateway, sandbox: Sandbox) -> None:
    sandbox.forget_requests()
    answer = gateway.post(SESSIONS, {"id": VENDING, **span(7)}, key=VIEWER).json()
    assert {error["extensions"]["code"] for error in answer["errors"]} == {"FORBIDDEN"}
    assert not any("sessions" in request for request in sandbox.requests())
    assert gateway.ask(SESSIONS, {"id": VENDING, **span(7)}, key=STRANGER)["node"] is None


def machine(gateway: Gateway) -> Found:
    query = "{ machines(first: 1, filter: {vendors: [VENDNOVATION]}) { nodes { id vendorId } } }"
    found: Found = gateway.ask(query)["machines"]["nodes"][0]
    return found


def test_a_service_session_is_recorded_once_and_seen_at_once(gateway: Gateway, sandbox: Sandbox) -> None:
    it = machine(gateway)
    before = gateway.ask(SESSIONS, {"id": VENDING, **span(1)})["node"]["serviceSessions"]
    began = datetime.now(UTC) - timedelta(hours=2)
    given: Found = {
        "machineId": it["id"],
        "reason": "belt replaced",
        "startedAt": began.isoformat(),
        "endedAt": (began + timedelta(minutes=20)).isoformat(),
        "idempotencyKey": "visit",
    }
    command = done(gateway, "createServiceSession", by=OPERATOR, **given)
    assert done(gateway, "createServiceSession", by=OPERATOR, **given)["id"] == command["id"]
    after = gateway.ask(SESSIONS, {"id": VENDING, **span(1)})["node"]["serviceSessions"]
    (new,) = [one for one in after if one not in before]
    assert (new["vendorId"], new["machine"], new["reason"]) == (
        command["result"]["session"],
        {"vendorId": it["vendorId"]},
        "belt replaced",
    )
    assert abs(moment(new["startedAt"]) - began) < timedelta(milliseconds=2)
    assert [row["reason"] for row in sandbox.truth("vendnovation")["sessions"]].count("belt replaced") == 1


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"reason": " "}, "reason"),
        ({"startedAt": "2999-01-01T00:00:00Z"}, "startedAt"),
        ({"startedAt": "2024-01-02T00:00:00Z", "endedAt": "2024-01-01T00:00:00Z"}, "endedAt"),
    ],
)
def test_a_session_that_cannot_be_is_refused(given: Found, field: str, gateway: Gateway, sandbox: Sandbox) -> None:
    it = machine(gateway)
    sandbox.forget_requests()
    error = refusal(gateway, "createServiceSession", **{"machineId": it["id"], "reason": "look", **given})
    assert (error["code"], error["field"]) == ("BAD_INPUT", ["input", field])
    assert refusal(gateway, "createServiceSession", by=VIEWER, machineId=it["id"], reason="x")["code"] == "FORBIDDEN"
    assert not any(request.startswith("PUT") for request in sandbox.requests())


def test_a_session_whose_answer_is_lost_is_not_sent_again(gateway: Gateway, sandbox: Sandbox) -> None:
    it = machine(gateway)
    sandbox.break_("vendnovation", "truncate", operation="/sessions/management", times=1)
    command = ended(gateway, "createServiceSession", machineId=it["id"], reason="lost")
    sandbox.heal()
    assert command["status"] in ("UNKNOWN", "SUCCEEDED")
    kept = [row for row in sandbox.truth("vendnovation")["sessions"] if row["reason"] == "lost"]
    assert len(kept) == 1
