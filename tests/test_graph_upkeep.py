"""Events that are over, sites, and machines as they stand, through the graph."""

from collections.abc import Iterator
from typing import Any

import pytest

from domain.refs import Kind, Ref
from tests.catalogue import account, done, ended, give, refusal, when_ended
from tests.following import Socket
from tests.running import OPERATOR, STRANGER, VIEWER, Gateway, Sandbox, running_gateway

VENDING = account("acme-vending")
EVENTS = """query ($state: EventState) { events(first: 1000, filter: {vendors: [VENDNOVATION], state: $state}) {
  nodes { id vendorId state message code machine { id } vendorData } } }"""
HEARD = """subscription { events(filter: {vendors: [VENDNOVATION]}) { origin event { vendorId state } } }"""
MACHINES = """query { machines(first: 1000, filter: {vendors: [VENDNOVATION]}) { nodes {
  id vendorId name serialNumber group { id name } organization { id } capabilities { capability available } } } }"""
RAISED = "NS"
NO_LIMITS = "requests = 1000000\nper_seconds = 1"
Found = dict[str, Any]


@pytest.fixture(scope="module")
def gateway(shared_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    throttle = shared_sandbox.vendors["vendnovation"]._throttle
    throttle._burst = throttle._left = 10**6
    shared_sandbox.happen("vendnovation", RAISED, count=8)
    with running_gateway(shared_sandbox, tmp_path_factory.mktemp("upkeep"), limits=NO_LIMITS) as gateway:
        yield gateway


def events(gateway: Gateway, state: str | None = None) -> list[Found]:
    found: list[Found] = gateway.ask(EVENTS, {"state": state})["events"]["nodes"]
    return found


def active(gateway: Gateway) -> Found:
    return next(one for one in events(gateway, "ACTIVE") if one["code"] == RAISED)


def alert(sandbox: Sandbox, native: str) -> Found:
    return next(row for row in sandbox.truth("vendnovation")["events"] if str(row["id"]) == native)


def machines(gateway: Gateway) -> list[Found]:
    found: list[Found] = gateway.ask(MACHINES)["machines"]["nodes"]
    return found


def record(sandbox: Sandbox, native: str) -> Found:
    return next(row for row in sandbox.truth("vendnovation")["machines"] if str(row["id"]) == native)


async def test_an_event_that_is_over_is_so_everywhere_at_once(gateway: Gateway, sandbox: Sandbox) -> None:
    one = active(gateway)
    async with Socket(gateway) as socket:
        await socket.subscribe(HEARD)
        assert await socket.quiet()
        command = done(gateway, "resolveEvent", by=OPERATOR, eventId=one["id"])
        heard = await socket.next()
    assert heard == {"events": {"origin": "COMMAND", "event": {"vendorId": one["vendorId"], "state": "RESOLVED"}}}
    assert (command["kind"], command["subject"]["id"]) == ("RESOLVE_EVENT", one["id"])
    kept = alert(sandbox, one["vendorId"])
    assert (kept["isCleared"], kept["message"]) == (True, one["message"])
    assert command["result"] == {"clearedAt": kept["clearedAt"]}
    assert {it["id"]: it["state"] for it in events(gateway)}[one["id"]] == "RESOLVED"
    assert one["id"] not in {it["id"] for it in events(gateway, "ACTIVE")}
    assert one["id"] in {it["id"] for it in events(gateway, "RESOLVED")}


def test_an_event_takes_another_text_and_is_over_once(gateway: Gateway, sandbox: Sandbox) -> None:
    one = active(gateway)
    given: Found = {"eventId": one["id"], "message": "the site was closed", "idempotencyKey": "over"}
    first = done(gateway, "resolveEvent", **given)
    assert alert(sandbox, one["vendorId"])["message"] == "the site was closed"
    sandbox.forget_requests()
    assert give(gateway, "resolveEvent", **given)["command"]["id"] == first["id"]
    assert refusal(gateway, "resolveEvent", eventId=one["id"])["code"] == "CONFLICT"
    assert "PATCH /vendnovation/prod/alerts" not in sandbox.requests()


def test_what_was_cleared_elsewhere_since_stands_against_it(gateway: Gateway, sandbox: Sandbox) -> None:
    one = active(gateway)
    kept = sandbox.vendors["vendnovation"]._history.alerts.find(one["vendorId"]).record
    before = dict(kept)
    kept |= {"isCleared": True, "clearedAt": kept["raisedAt"]}
    command = ended(gateway, "resolveEvent", eventId=one["id"])
    assert (command["status"], command["errorCode"], command["subject"]["id"]) == ("FAILED", "CONFLICT", one["id"])
    assert command["result"]["isCleared"] is True
    kept |= before


def test_a_dry_run_of_it_tells_what_would_be_sent(gateway: Gateway, sandbox: Sandbox) -> None:
    one = active(gateway)
    sandbox.forget_requests()
    (planned,) = give(gateway, "resolveEvent", dry=True, eventId=one["id"])["planned"]
    assert (planned["method"], planned["path"]) == ("PATCH", "/alerts")
    (row,) = planned["body"]["body"]
    assert row.keys() == {"id", "isCleared", "clearedAt", "message"}
    assert "PATCH /vendnovation/prod/alerts" not in sandbox.requests()


def test_who_may_not_and_what_is_nobodys_is_refused(gateway: Gateway) -> None:
    one = active(gateway)
    assert refusal(gateway, "resolveEvent", by=VIEWER, eventId=one["id"])["code"] == "FORBIDDEN"
    for by, id_ in ((STRANGER, one["id"]), (OPERATOR, "no id"), (OPERATOR, one["machine"]["id"])):
        assert refusal(gateway, "resolveEvent", by=by, eventId=id_)["code"] == "NOT_FOUND"
    machine = machines(gateway)[0]
    mutations: list[tuple[str, Found]] = [
        ("createSite", {"accountId": VENDING, "name": "Mine"}),
        ("provisionMachine", {"organizationId": machine["organization"]["id"], "serialNumber": "VN1"}),
        ("updateMachine", {"machineId": machine["id"], "name": "Mine"}),
    ]
    for mutation, given in mutations:
        assert refusal(gateway, mutation, by=OPERATOR, **given)["code"] == "FORBIDDEN"
        assert refusal(gateway, mutation, by=STRANGER, **given)["code"] == "NOT_FOUND"


def test_other_vendors_events_cannot_be_declared_over(gateway: Gateway) -> None:
    nodes = gateway.ask("{ events(first: 500, filter: {vendors: [LIVELLO, SMARTVEND]}) { nodes { id vendor } } }")
    for vendor in ("LIVELLO", "SMARTVEND"):
        id_ = next(one["id"] for one in nodes["events"]["nodes"] if one["vendor"] == vendor)
        error = refusal(gateway, "resolveEvent", eventId=id_)
        assert (error["code"], error["reason"]) == ("UNSUPPORTED", "UNSUPPORTED_BY_VENDOR")


def organization(native: int) -> str:
    return Ref(Kind.ORGANIZATION, "acme-vending", str(native)).text


def test_a_site_is_made_once_a_name_and_a_machine_moves_there(gateway: Gateway, sandbox: Sandbox) -> None:
    owner = sandbox.vendors["vendnovation"]._fleet.accounts.find(301)
    given: Found = {
        "accountId": VENDING,
        "organizationId": organization(int(min(owner.keys["organizationIds"]))),
        "customerAccount": "301",
        "name": "Harbor 7",
        "timezone": "America/Chicago",
        "largestCharge": "25.5",
    }
    command = done(gateway, "createSite", **given)
    site = next(row for row in sandbox.truth("vendnovation")["sites"] if row["name"] == "Harbor 7")
    assert (site["accountId"], site["timeZone"]) == (301, "Central Standard Time")
    place = Ref(Kind.PLACE, "acme-vending", str(site["id"])).text
    assert command["site"] == {"id": place, "name": "Harbor 7"}
    again = ended(gateway, "createSite", **given)
    assert (again["status"], again["errorCode"]) == ("FAILED", "CONFLICT")
    machine = machines(gateway)[0]
    moved = done(gateway, "updateMachine", machineId=machine["id"], groupId=place)
    assert moved["machine"]["id"] == machine["id"]
    assert next(one for one in machines(gateway) if one["id"] == machine["id"])["group"] == command["site"]


@pytest.mark.parametrize(
    ("given", "status", "field"),
    [
        ({"name": " "}, None, ["input", "name"]),
        ({"timezone": "Mars/Olympus"}, None, ["input", "timezone"]),
        ({"largestCharge": "-1"}, None, ["input", "largestCharge"]),
        ({"customerAccount": "x"}, None, ["input", "customerAccount"]),
        ({"organizationId": "no id"}, None, ["input", "organizationId"]),
        ({"customerAccount": None}, "FAILED", None),
        ({"customerAccount": "999"}, "FAILED", None),
    ],
)
def test_a_site_that_cannot_be_is_not_asked_for(
    given: Found, status: str | None, field: list[str] | None, gateway: Gateway, sandbox: Sandbox
) -> None:
    sandbox.forget_requests()
    wanted = {"accountId": VENDING, "name": "Nowhere", "customerAccount": "301", **given}
    payload = give(gateway, "createSite", **wanted)
    if status is None:
        assert [(one["code"], one["field"]) for one in payload["errors"]] == [("BAD_INPUT", field)]
    else:
        command = when_ended(gateway, payload["command"])
        assert (command["status"], command["errorCode"]) == (status, "BAD_INPUT")
    assert "PUT /vendnovation/prod/sites" not in sandbox.requests()


def test_a_machine_sells_as_it_is_told_and_nothing_else_of_it_changes(gateway: Gateway, sandbox: Sandbox) -> None:
    machine = machines(gateway)[1]
    before = dict(record(sandbox, machine["vendorId"]))
    command = done(
        gateway,
        "updateMachine",
        machineId=machine["id"],
        name="Lobby left",
        acceptsCards=not before["enableCreditSales"],
        taxRate="8.25",
        assetNumber="A-9",
    )
    assert command["result"] == {"effective": "NEXT_CHECK_IN"}
    after = record(sandbox, machine["vendorId"])
    changed = {name for name in after if after[name] != before[name]} - {"lastHeartBeat"}
    assert changed == {"name", "enableCreditSales", "taxPercentage", "assetId", "hardwareSettingsChanged"}
    assert (after["name"], after["taxPercentage"]) == ("Lobby left", 8.25)
    assert next(one for one in machines(gateway) if one["id"] == machine["id"])["name"] == "Lobby left"
    same = ended(gateway, "updateMachine", machineId=machine["id"], name="Lobby left")
    assert (same["status"], same["errorCode"]) == ("FAILED", "BAD_INPUT")


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({}, ["input"]),
        ({"name": "x" * 121}, ["input", "name"]),
        ({"taxRate": "101"}, ["input", "taxRate"]),
        ({"cardFee": "-1"}, ["input", "cardFee"]),
        ({"groupId": "elsewhere"}, ["input", "groupId"]),
    ],
)
def test_a_machine_that_cannot_be_so_is_refused(
    given: Found, field: list[str], gateway: Gateway, sandbox: Sandbox
) -> None:
    machine = machines(gateway)[1]
    sandbox.forget_requests()
    error = refusal(gateway, "updateMachine", machineId=machine["id"], **given)
    assert (error["code"], error["field"]) == ("BAD_INPUT", field)
    assert not any(one.startswith("PATCH") for one in sandbox.requests())


def test_a_machine_that_called_in_is_put_into_service(gateway: Gateway, sandbox: Sandbox) -> None:
    row = sandbox.vendors["vendnovation"]._fleet.machine_rows.records()[0]
    before = dict(row)
    row |= {"callInCode": "CI-1"}
    given: Found = {"organizationId": organization(row["organizationId"]), "serialNumber": row["prose"]}
    (planned,) = give(gateway, "provisionMachine", dry=True, **given)["planned"]
    asked = {"organizationIds": [row["organizationId"]], "machineIdentifiers": [row["prose"]]}
    assert planned == {"method": "POST", "path": "/machines/provision", "body": {"requestFilter": asked}}
    command = done(gateway, "provisionMachine", **given)
    assert command["result"] == {"serialNumber": row["prose"]}
    assert (row["callInCode"], row["provisionedAt"]) != (before["callInCode"], before["provisionedAt"])
    again = ended(gateway, "provisionMachine", **given)
    assert (again["status"], again["errorCode"]) == ("FAILED", "VENDOR_REJECTED")
    long = refusal(gateway, "provisionMachine", **given | {"serialNumber": "V" * 16})
    assert (long["code"], long["field"]) == ("BAD_INPUT", ["input", "serialNumber"])
