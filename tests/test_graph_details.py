"""What some vendors tell of one machine at a time, and events in the caller's language."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.expected import plain, utc
from tests.running import STRANGER, Gateway, Sandbox, moment, running_gateway

DETAILS = """query ($vendors: [Vendor!]) { machines(first: 1000, filter: {vendors: $vendors}) { nodes { id vendorId
  session { status kind startedAt updatedAt closedAt final withPurchase reference }
  cash { total { amount currency } bills { amount currency } coins { amount currency } observedAt }
  config { kind settings observedAt } } } }"""
EVENTS = """query ($language: Language) { events(first: 1000, filter: {vendors: [SMARTVEND, VENDNOVATION]}) {
  nodes { id vendor message there: message(language: $language) vendorData } } }"""
COLLECT = """mutation ($id: ID!) { collectCash(input: {machineId: $id, idempotencyKey: "collected"}) {
  command { status } } }"""
NONE = {"session": None, "cash": None, "config": None}
Node = dict[str, Any]


@pytest.fixture
def gateway(sandbox: Sandbox, tmp_path: Path) -> Iterator[Gateway]:
    with running_gateway(sandbox, tmp_path) as gateway:
        yield gateway


def details(gateway: Gateway, vendor: str) -> dict[str, Node]:
    nodes = gateway.ask(DETAILS, {"vendors": [vendor]})["machines"]["nodes"]
    return {one["vendorId"]: {name: one[name] for name in NONE} for one in nodes}


def test_a_kiosks_last_session_is_told_and_no_older_one(gateway: Gateway, sandbox: Sandbox) -> None:
    serials = [row["serialNumber"] for row in sandbox.truth("livello")["machines"]]
    sold = sandbox.sell("livello", machine=serials[0])[0]
    found = details(gateway, "LIVELLO")
    assert found.keys() == set(serials)
    told = found[serials[0]]["session"]
    at = utc(sold["created"])
    times = [moment(told.pop(name)) for name in ("startedAt", "updatedAt", "closedAt")]
    assert times == [at, at, at]
    reference = sold["paymentMethod"]["externalTransactionId"]
    assert told == {
        "status": "CLOSED",
        "kind": "purchase",
        "final": True,
        "withPurchase": True,
        "reference": reference,
    }
    quiet = [one for serial, one in found.items() if serial not in sold_lately(sandbox)]
    assert quiet
    assert quiet == [NONE] * len(quiet)


def sold_lately(sandbox: Sandbox) -> set[str]:
    sales = sandbox.truth("livello")["sales"]
    newest = max(utc(one["created"]) for one in sales)
    return {one["kiosk"]["serialNumber"] for one in sales if (newest - utc(one["created"])).total_seconds() < 1900}


def test_a_controllers_cash_and_settings_are_as_it_has_them_less_secrets(gateway: Gateway, sandbox: Sandbox) -> None:
    counters = sandbox.vendors["smartvend"]._fleet.counters
    configs = {row["controllerId"]: row for row in sandbox.truth("smartvend")["configs"]}
    found = details(gateway, "SMARTVEND")
    assert found.keys() == configs.keys()
    for native, one in found.items():
        cash = plain({name: one["cash"][name] for name in ("total", "bills", "coins")})
        count = counters[native]
        assert cash == {
            "total": (Decimal(count["mc"]) / 100, "EUR"),
            "bills": (Decimal(count["bc"]) / 100, "EUR"),
            "coins": (Decimal(count["cc"]) / 100, "EUR"),
        }
        kept = configs[native]
        assert "wp" in kept["config"]
        shown = {key: value for key, value in kept["config"].items() if key != "wp"}
        assert (one["config"]["kind"], one["config"]["settings"]) == (kept["type"], shown)
        assert one["session"] is None


def test_a_key_that_no_document_names_is_not_shown(gateway: Gateway, sandbox: Sandbox) -> None:
    native, kept = next(iter(sandbox.vendors["smartvend"]._fleet.configs.items()))
    kept["config"]["zz"] = "may be a secret"
    try:
        assert "zz" not in details(gateway, "SMARTVEND")[native]["config"]["settings"]
    finally:
        del kept["config"]["zz"]


def test_cash_that_was_collected_is_gone_at_once(gateway: Gateway) -> None:
    nodes = gateway.ask(DETAILS, {"vendors": ["SMARTVEND"]})["machines"]["nodes"]
    machine = next(one for one in nodes if Decimal(one["cash"]["total"]["amount"]))
    assert gateway.ask(COLLECT, {"id": machine["id"]})["collectCash"]["command"]["status"] == "SUCCEEDED"
    assert details(gateway, "SMARTVEND")[machine["vendorId"]]["cash"]["total"]["amount"] == "0.00"
    newest = gateway.ask("{ cashCollections(first: 1) { nodes { total { amount } machine { id } } } }")
    assert newest["cashCollections"]["nodes"] == [
        {"total": {"amount": machine["cash"]["total"]["amount"]}, "machine": {"id": machine["id"]}}
    ]


@pytest.mark.parametrize("vendor", ["VENDNOVATION", "SMARTEPI", "EATMACHINE"])
def test_vendors_without_them_are_not_asked(vendor: str, gateway: Gateway, sandbox: Sandbox) -> None:
    gateway.ask("{ machines(first: 1000) { nodes { id } } }")
    sandbox.forget_requests()
    found = details(gateway, vendor)
    assert list(found.values()) == [NONE] * len(found)
    assert sandbox.requests() == []


def test_what_fails_is_null_with_an_error_of_its_own(gateway: Gateway, sandbox: Sandbox) -> None:
    sandbox.break_("smartvend", "status", status=500, operation="/get-controller-state")
    answer = gateway.post(DETAILS, {"vendors": ["SMARTVEND"]}).json()
    nodes = answer["data"]["machines"]["nodes"]
    assert {error["extensions"]["code"] for error in answer["errors"]} == {"VENDOR_UNAVAILABLE"}
    assert {error["path"][-1] for error in answer["errors"]} == {"cash"}
    assert all(one["cash"] is None for one in nodes)


def test_they_are_asked_for_once_and_of_no_one_elses_machine(gateway: Gateway, sandbox: Sandbox) -> None:
    details(gateway, "SMARTVEND")
    sandbox.forget_requests()
    assert details(gateway, "SMARTVEND")
    assert sandbox.requests() == []
    id_ = gateway.ask(DETAILS, {"vendors": ["SMARTVEND"]})["machines"]["nodes"][0]["id"]
    query = "query ($id: ID!) { machine(id: $id) { config { kind } } }"
    assert gateway.ask(query, {"id": id_}, key=STRANGER) == {"machine": None}


@pytest.mark.parametrize("language", ["EN", "DE", "RU", None])
def test_events_are_told_in_the_language_that_is_asked_for(
    language: str | None, gateway: Gateway, sandbox: Sandbox
) -> None:
    texts = {row["localizeKey"]: row["text"] for row in sandbox.vendors["smartvend"]._fleet.dictionary("en")}
    nodes = gateway.ask(EVENTS, {"language": language})["events"]["nodes"]
    mark = "" if language in ("EN", None) else f" [{language.lower()}]"
    told = [one for one in nodes if one["vendor"] == "SMARTVEND"]
    assert told
    for one in told:
        text = texts.get(one["vendorData"]["localizeKey"])
        assert one["there"] == (one["message"] if text is None else text + mark)
    others = [one for one in nodes if one["vendor"] == "VENDNOVATION"]
    assert others
    assert all(one["there"] == one["message"] for one in others)
    sandbox.forget_requests()
    gateway.ask(EVENTS, {"language": language})
    assert not any("dictionary" in request for request in sandbox.requests())


def test_without_a_dictionary_the_event_is_told_as_it_was(gateway: Gateway, sandbox: Sandbox) -> None:
    gateway.ask(EVENTS, {"language": "EN"})
    sandbox.break_("smartvend", "status", status=500, operation="/get-dictionary-of-events")
    nodes = gateway.ask(EVENTS, {"language": "FR"})["events"]["nodes"]
    assert nodes
    assert all(one["there"] == one["message"] for one in nodes)
