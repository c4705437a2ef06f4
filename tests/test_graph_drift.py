"""What drifts is seen in the graph, in the metrics and after a restart, and queries go on without the one record."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.smartepi import WEBHOOK
from tests import telling
from tests.running import CLIENT, VIEWER, Gateway, Sandbox, running_gateway, running_sandbox

ACCOUNTS = """
{ accounts { key drift { operation path kind expected seen fingerprint count firstSeenAt lastSeenAt } } }
"""
LISTS = """{
  machines(first: 1000) { totalCount nodes { id vendor name slots { id } } sources { account { key } state complete } }
  sales(first: 100) { nodes { id } sources { account { key } state complete } }
  products(first: 1000) { totalCount nodes { id vendor } sources { account { key } state complete } } }"""


@pytest.fixture(scope="module")
def shared_sandbox() -> Iterator[Sandbox]:
    with running_sandbox(scale=0.05, days=20) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(shared_sandbox: Sandbox) -> Iterator[Sandbox]:
    yield shared_sandbox
    shared_sandbox.heal()


def drift_of(gateway: Gateway, account: str, *, key: str | None = None) -> list[dict[str, Any]]:
    found = gateway.ask(ACCOUNTS, key=key)["accounts"]
    return next(one["drift"] for one in found if one["key"] == account)


def differences(gateway: Gateway, account: str) -> set[tuple[str, str, str, str]]:
    told = drift_of(gateway, account)
    return {(one["operation"], one["path"], one["kind"], one["seen"]) for one in told}


def test_a_vendor_that_changes_its_mind_is_shown_and_costs_one_record(sandbox: Sandbox, tmp_path: Path) -> None:
    with running_gateway(sandbox, tmp_path) as gateway:
        whole = gateway.ask(LISTS)
    (tmp_path / "vendgraph.db").unlink()
    sets = {"result.success.items[1].connectionStatus": "asleep", "result.success.items[2].humanName": 5}
    sandbox.break_("smartvend", "drift", operation="controllers", sets=sets, drops=["result.success.items[0].id"])
    sandbox.break_("livello", "drift", operation="/products", drops=["data[].manufacturer"])
    with running_gateway(sandbox, tmp_path) as gateway:
        found = gateway.ask(LISTS)
        assert differences(gateway, "acme-coffee") == {
            ("get-list-of-controllers", "result.success.items[].id", "MISSING", "nothing"),
            ("get-list-of-controllers", "result.success.items[].connectionStatus", "UNKNOWN_WORD", "asleep"),
            ("get-list-of-controllers", "result.success.items[].humanName", "RETYPED", "a number"),
        }
        assert ("list-products", "data[].manufacturer", "MISSING", "nothing") in differences(gateway, "acme-kiosks")
        assert drift_of(gateway, "acme-coffee", key=VIEWER)
    assert found["machines"]["totalCount"] is None  # one machine cannot be read, so nobody knows
    gone = {one["id"] for one in whole["machines"]["nodes"]} - {one["id"] for one in found["machines"]["nodes"]}
    assert len(gone) == 1
    state = {one["account"]["key"]: (one["state"], one["complete"]) for one in found["machines"]["sources"]}
    assert state.pop("acme-coffee") == ("FRESH", False)
    assert set(state.values()) == {("FRESH", True)}
    assert found["products"] == whole["products"]
    assert len(found["sales"]["nodes"]) == 100


def test_it_is_kept_over_a_restart_and_counted_in_the_metrics(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.break_("vendnovation", "drift", operation="/products", sets={"[].isActive": "yes"})
    with running_gateway(sandbox, tmp_path) as gateway:
        gateway.ask(LISTS)
        (first,) = (one for one in drift_of(gateway, "acme-vending") if one["operation"] == "list-products")
        metrics = CLIENT.get(f"{gateway.base}/metrics").text
    labels = 'account="acme-vending",kind="RETYPED",operation="list-products",vendor="vendnovation"'
    assert f"vendgraph_vendor_drift_total{{{labels}}} {float(first['count'])}" in metrics
    assert (first["path"], first["expected"], first["seen"]) == ("[].isActive", "true or false", "a text")
    with running_gateway(sandbox, tmp_path) as gateway:
        (kept,) = (one for one in drift_of(gateway, "acme-vending") if one["operation"] == "list-products")
        assert kept == first
        gateway.ask(LISTS)
        (more,) = (one for one in drift_of(gateway, "acme-vending") if one["operation"] == "list-products")
    assert more["count"] == 2 * first["count"]
    assert (more["firstSeenAt"], more["fingerprint"]) == (first["firstSeenAt"], first["fingerprint"])
    assert more["lastSeenAt"] > first["lastSeenAt"]


def test_deliveries_drift_as_lists_do(sandbox: Sandbox, tmp_path: Path) -> None:
    with running_gateway(sandbox, tmp_path) as gateway:
        sale = telling.smartvend_sale(paymentTypes=["barter"], totalPrice=250)
        assert telling.smartvend(gateway.base, sale).status_code == 200
        odd = {"id": "evt_1", "type": "locker.opened", "createdAt": 1_750_000_000, "data": {}}
        assert telling.smartepi(gateway.base, odd, WEBHOOK["secret"]).status_code == 200
        assert differences(gateway, "acme-coffee") == {
            ("webhook:sale", "paymentTypes[]", "UNKNOWN_WORD", "barter"),
            ("webhook:sale", "totalPrice", "RETYPED", "a number"),
        }
        assert differences(gateway, "acme-safety") == {("webhook", "type", "UNKNOWN_WORD", "locker.opened")}
