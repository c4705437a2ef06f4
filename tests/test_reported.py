"""The emulated vendors send to a running gateway, and what is true there is what the graph shows."""

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.following import following
from sandbox.app import create_app as create_sandbox
from sandbox.eatmachine import EatMachine
from sandbox.server import start
from sandbox.smartepi import SmartEPI
from sandbox.smartvend import SmartVend
from sandbox.world import Vendor, World
from tests.running import CLIENT, Gateway, Sandbox, running_gateway

SALES = """query ($vendor: Vendor!, $from: DateTime!) {
  sales(first: 200, filter: {vendors: [$vendor], from: $from}) {
    nodes { vendorId kind trust total { amount currency } machine { vendorId } lines { productName quantity } } } }"""
EVENTS = """query ($vendor: Vendor!, $from: DateTime!) {
  events(first: 500, filter: {vendors: [$vendor], from: $from}) {
    nodes { vendorId code trust machine { vendorId } } } }"""
FRIDGES = """{ machines(first: 100, filter: {vendors: [EATMACHINE]}) { nodes {
  vendorId connectivity door temperature { celsius } group { name } slots { quantity product { name } } } } }"""
PRODUCTS = "{ products(first: 100, filter: {vendors: [EATMACHINE]}) { nodes { vendorId name } } }"
STATUS = "{ accounts { key status webhook { accepted duplicates rejected } } }"
FOLLOWED = "subscription { sales { origin sale { vendor vendorId trust } } }"
QUIET = {"heartbeat", "ack"}  # reports that are no events for people to read
MANY = 10**6
HURRIED = 1e6
NOWHERE = "http://127.0.0.1:9"  # nobody listens on the discard port
WAITING_SECONDS = 20.0


class Ticking:
    """Fridges tell time in whole seconds: each look at this clock is a second later than the one before."""

    def __init__(self) -> None:
        self._seconds = itertools.count()
        self._began = datetime.now(UTC) - timedelta(minutes=14)

    def __call__(self) -> datetime:
        return self._began + timedelta(seconds=next(self._seconds))


@contextmanager
def standing(folder: Path, **config: Any) -> Iterator[tuple[Sandbox, Gateway]]:
    """A gateway that is told of all that happens at the vendors, and of all tags."""
    world = World(scale=0.1, days=5)
    vendors: list[Vendor] = [SmartVend(world), SmartEPI(world), EatMachine(World(scale=0.1, days=5, now=Ticking()))]
    app = create_sandbox(vendors=vendors)
    with start(app) as server:
        sandbox = Sandbox(server.base, app)
        with running_gateway(sandbox, folder, **config) as gateway:
            sandbox.webhooks(address=gateway.base)
            sandbox.settle()
            yield sandbox, gateway


def happen(sandbox: Sandbox) -> None:
    """A bit of everything."""
    sandbox.sell("smartvend", 7)
    for code in sandbox.vendors["smartvend"].event_kinds:
        sandbox.happen("smartvend", code)
    for kind in ("withdrawal", "withdrawal", "return", "exchange", "training_record", "webhook.test"):
        sandbox.happen("smartepi", kind)
    for fridge in fridges(sandbox):
        for kind in ("badge-presented", "open", "temperature", "screen-status", "video", "heartbeat", "reboot"):
            sandbox.happen("eatmachine", kind, machine=fridge)
        sandbox.sell("eatmachine", 2, fridge)
    sandbox.happen("eatmachine", "shutdown", machine=fridges(sandbox)[-1])


def fridges(sandbox: Sandbox) -> list[str]:
    return [row["uuid"] for row in sandbox.truth("eatmachine")["machines"]]


def ask(gateway: Gateway, query: str, vendor: str, since: datetime) -> list[Any]:
    (found,) = gateway.ask(query, {"vendor": vendor, "from": since.isoformat()}).values()
    nodes: list[Any] = found["nodes"]
    return nodes


def cents(amount: str) -> str:
    return f"{int(amount) / 100:.2f}"


def removed(report: Any) -> Counter[str]:
    return Counter(report["data"]["removed"])


@pytest.mark.parametrize("disturbed", [{}, {"duplicate": MANY, "reorder": True}], ids=["as sent", "disturbed"])
def test_what_the_vendors_send_is_what_the_graph_shows(tmp_path: Path, disturbed: dict[str, Any]) -> None:
    """Deliveries that come twice and in any order lead to the same as those that do not."""
    since = datetime.now(UTC).replace(microsecond=0)
    with standing(tmp_path) as (sandbox, gateway):
        sandbox.webhooks(**disturbed)
        happen(sandbox)
        sandbox.settle()
        until(lambda: shown_tags(gateway) == true_tags(sandbox))
        check_smartvend(sandbox, gateway, since)
        check_smartepi(sandbox, gateway, since)
        check_fridges(sandbox, gateway)
        check_reports(sandbox, gateway)
        check_taken(sandbox, gateway, exactly=not disturbed)
        accounts = gateway.ask(STATUS)["accounts"]
        assert {one["status"] for one in accounts} <= {"OK", "UNKNOWN"}
        for one in accounts:
            assert one["webhook"]["accepted"] > 0
            assert one["webhook"]["rejected"] == 0
            assert (one["webhook"]["duplicates"] > 0) == bool(disturbed)


def until(true: Callable[[], bool]) -> None:
    ends = time.monotonic() + WAITING_SECONDS
    while not true():
        assert time.monotonic() < ends
        time.sleep(0.02)


def check_smartvend(sandbox: Sandbox, gateway: Gateway, since: datetime) -> None:
    truth = sandbox.truth("smartvend")
    sales = {row["saleId"]: row for row in truth["sales"] if row["createdAt"] >= since.timestamp()}
    told = ask(gateway, SALES, "SMARTVEND", since)
    assert {one["vendorId"]: (one["total"]["amount"], one["machine"]["vendorId"], one["trust"]) for one in told} == {
        native: (cents(row["totalPrice"]), row["controllerId"], "SIGNED") for native, row in sales.items()
    }
    assert len(told) == len(sales) == 7
    events = {row["id"]: row["code"] for row in truth["events"] if row["createdAt"] >= since.timestamp()}
    found = ask(gateway, EVENTS, "SMARTVEND", since)
    assert {one["vendorId"]: one["code"] for one in found} == events
    assert (len(found), {one["trust"] for one in found}) == (len(events), {"SIGNED"})


def check_smartepi(sandbox: Sandbox, gateway: Gateway, since: datetime) -> None:
    truth = sandbox.truth("smartepi")
    records = [row for row in truth["sales"] if row["createdAt"] >= since.timestamp()]
    kinds = {"withdrawalStatus": "WITHDRAWAL", "returnStatus": "RETURN", "exchangeStatus": "EXCHANGE"}
    told = ask(gateway, SALES, "SMARTEPI", since)
    assert sorted((one["vendorId"], one["kind"], one["machine"]["vendorId"], one["trust"]) for one in told) == sorted(
        (row["id"], next(kinds[name] for name in kinds if name in row), row["deviceId"], "SIGNED") for row in records
    )
    assert len(records) == 4
    trainings = ask(gateway, EVENTS, "SMARTEPI", since)
    assert [one["code"] for one in trainings] == ["training_record.created"]
    assert trainings[0]["vendorId"] == f"evt_training_record_created_{truth['trainings'][0]['id']}"


def true_tags(sandbox: Sandbox) -> dict[str, Counter[str | None]]:
    """By fridge: how many tags there are of each product."""
    truth = sandbox.truth("eatmachine")
    names = {row["uuid"]: row["name"] for row in truth["products"]}
    found: dict[str, Counter[str | None]] = {native: Counter() for native in fridges(sandbox)}
    for tag in truth["tags"]:
        found[tag["fridge"]][names.get(tag["product"])] += 1
    return found


def shown_tags(gateway: Gateway) -> dict[str, Counter[str | None]]:
    nodes = gateway.ask(FRIDGES)["machines"]["nodes"]
    return {
        node["vendorId"]: Counter(
            {slot["product"] and slot["product"]["name"]: slot["quantity"] for slot in node["slots"] or ()}
        )
        for node in nodes
    }


def check_fridges(sandbox: Sandbox, gateway: Gateway) -> None:
    truth = sandbox.truth("eatmachine")
    down = {truth["machines"][-1]["uuid"]}
    nodes = {node["vendorId"]: node for node in gateway.ask(FRIDGES)["machines"]["nodes"]}
    assert nodes.keys() == {row["uuid"] for row in truth["machines"]}
    for row in truth["machines"]:
        node = nodes[row["uuid"]]
        assert node["door"] == row["doorStatus"].upper() == "CLOSED"
        assert node["temperature"] == {"celsius": row["temperature"]}
        assert node["connectivity"] == ("OFFLINE" if row["uuid"] in down else "ONLINE")
        assert node["group"] == {"name": row["fleet"]["name"]}
    products = gateway.ask(PRODUCTS)["products"]["nodes"]
    linked = {tag["product"] for tag in truth["tags"]} - {None}
    assert linked <= {one["vendorId"] for one in products}
    names = {row["uuid"]: row["name"] for row in truth["products"]}
    assert all(names[one["vendorId"]] == one["name"] for one in products)


def check_reports(sandbox: Sandbox, gateway: Gateway) -> None:
    """Each report is an event, once; what links tags names no fridge, but was told at one's address."""
    reports = [row for row in sandbox.truth("eatmachine")["events"] if row["type"] not in QUIET]
    found = ask(gateway, EVENTS, "EATMACHINE", datetime.now(UTC) - timedelta(hours=1))
    assert Counter(one["code"] for one in found) == Counter(row["type"] for row in reports)
    assert {one["trust"] for one in found} == {"SECRET_URL"}
    own = Counter((one["machine"]["vendorId"], one["code"]) for one in found if one["code"] != "product-linked")
    assert own == Counter((row["fridge"]["uuid"], row["type"]) for row in reports if "fridge" in row)


def check_taken(sandbox: Sandbox, gateway: Gateway, *, exactly: bool) -> None:
    """What customers took is sold. Whose it was cannot be told where a later list overtook an earlier one."""
    truth = sandbox.truth("eatmachine")
    names = {row["uuid"]: row["name"] for row in truth["products"]}
    products = sandbox.vendors["eatmachine"].fleet.linked
    sold: dict[str, Counter[str]] = {}
    for row in truth["events"]:
        if row["type"] == "inventory" and row["data"]["removed"]:
            taken = Counter(names.get(products.get(tag, ""), "Unknown product") for tag in row["data"]["removed"])
            sold[row["command"]["uuid"]] = taken
    found = ask(gateway, SALES, "EATMACHINE", datetime.now(UTC) - timedelta(hours=1))
    told = {one["vendorId"]: Counter({line["productName"]: line["quantity"] for line in one["lines"]}) for one in found}
    assert {one["trust"] for one in found} == {"DERIVED"}
    assert sum(told.values(), Counter()) == sum(sold.values(), Counter())
    if exactly:
        assert told == sold


# ---- what never came


FED = "every_seconds = 0.2"


async def told(gateway: Gateway, happens: Callable[[], Any], count: int) -> list[Any]:
    """The next messages to who follows the sales, after something has happened."""
    async with following(gateway.base, gateway.key, FOLLOWED) as results, asyncio.timeout(WAITING_SECONDS):
        await asyncio.to_thread(happens)
        return [result["data"]["sales"] async for result in first(results, count)]


async def first(results: AsyncIterator[Any], count: int) -> AsyncIterator[Any]:
    for _ in range(count):
        yield await anext(results)


@pytest.mark.parametrize("vendor", ["smartvend", "smartepi"])
async def test_a_lost_delivery_appears_by_backfill(tmp_path: Path, vendor: str) -> None:
    with standing(tmp_path, feed=FED) as (sandbox, gateway):
        sandbox.webhooks(vendor=vendor, lose=2)
        made: list[Any] = []
        messages = await told(gateway, lambda: made.extend(sandbox.sell(vendor, 3)), 3)
        natives = [row.get("saleId", row["id"] if vendor == "smartepi" else None) for row in made]
        origins = {one["sale"]["vendorId"]: (one["origin"], one["sale"]["trust"]) for one in messages}
        assert origins == dict(
            zip(natives, [("BACKFILL", "POLLED"), ("BACKFILL", "POLLED"), ("WEBHOOK", "SIGNED")], strict=True)
        )
        assert messages[0]["origin"] == "WEBHOOK"


async def test_a_vendor_that_stopped_sending_is_degraded_and_backfilled_until_it_sends_again(tmp_path: Path) -> None:
    with standing(tmp_path, feed=FED) as (sandbox, gateway):

        def status() -> str:
            accounts = gateway.ask(STATUS)["accounts"]
            return str(next(one["status"] for one in accounts if one["key"] == "acme-coffee"))

        gateway.ask("{ sales(first: 1) { nodes { id } } }")
        assert status() == "OK"
        sandbox.webhooks(vendor="smartvend", address=NOWHERE, speed=HURRIED)
        sandbox.sell("smartvend")
        sandbox.settle()
        assert sandbox.webhooks(vendor="smartvend", address=gateway.base)["smartvend"]["stopped"]
        (message,) = await told(gateway, lambda: sandbox.sell("smartvend"), 1)
        assert message["origin"] == "BACKFILL"
        until(lambda: status() == "DEGRADED")
        sandbox.webhooks(vendor="smartvend", stopped=False)
        await one_by_webhook(gateway, sandbox)
        until(lambda: status() == "OK")


async def one_by_webhook(gateway: Gateway, sandbox: Sandbox) -> None:
    """A feed this hasty may be told of a sale before its delivery has come."""
    for _ in range(20):
        (message,) = await told(gateway, lambda: sandbox.sell("smartvend"), 1)
        if message["origin"] == "WEBHOOK":
            return
    raise AssertionError("no sale came by webhook")


# ---- what comes late


def deliver(*reports: Any) -> None:
    """As they stand here, each to its fridge's own address."""
    for report in reports:
        answer = CLIENT.post(report["fridge"]["settings"]["webhookUrl"], json=report)
        assert answer.status_code == 200, answer.text


def test_a_customer_who_is_told_of_late_is_sold_to_once(tmp_path: Path) -> None:
    """Whether the fridge was only looked into since, or another customer was found to have taken all."""
    with standing(tmp_path) as (sandbox, gateway):
        sandbox.webhooks(vendor="eatmachine", stopped=True)
        looked, crowded = fridges(sandbox)
        before = true_tags(sandbox)
        customer = sandbox.happen("eatmachine", "open", machine=looked)
        deliver(*sandbox.happen("eatmachine", "boot", machine=looked), *customer)
        one, other = (sandbox.happen("eatmachine", "open", machine=crowded) for _ in range(2))
        deliver(*other, *one)
        found = ask(gateway, SALES, "EATMACHINE", datetime.now(UTC) - timedelta(hours=1))
        assert [sale["machine"]["vendorId"] for sale in found] == [crowded, looked]
        after = true_tags(sandbox)
        for sale in found:
            lines = Counter({line["productName"]: line["quantity"] for line in sale["lines"]})
            native = sale["machine"]["vendorId"]
            gone = before[native] - after[native]
            assert lines == Counter({name or "Unknown product": count for name, count in gone.items()})
        assert shown_tags(gateway) == after
