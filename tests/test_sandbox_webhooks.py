"""What the emulated vendors send: in the documents' shapes, and so that a gateway takes it for genuine."""

import json
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest

from connectors.base import Account
from connectors.http import new_client
from connectors.registry import CONNECT
from connectors.reporting import Delivery, Forged, SendsWebhooks
from domain.facts import Fact
from gateway.accounts import AccountSettings
from sandbox.app import create_app
from sandbox.lively import Lively
from sandbox.server import start
from sandbox.smartvend_fleet import CODES
from sandbox.world import World
from tests.receiving import Came, Receiver, receiving
from tests.running import Sandbox, running_sandbox

CONTROLLER = {
    "controllerId", "controllerHumanName", "controllerSerialNumber", "controllerType", "controllerLocation",
    "controllerNameForReport", "controllerCity", "controllerTimezone", "createdAt", "controllerCreatedAt",
}  # fmt: skip
SALE = {
    "saleId", "insertedMoney", "bill", "coin", "digital", "remotePayment", "remoteDeposit", "paymentTypes", "quantity",
    "totalPrice", "income", "balance", "change", "products",
}  # fmt: skip
EVENT = {"id", "tag", "code", "localizeKey", "source", "status", "level"}
HURRIED = 1e5


@pytest.fixture(scope="module")
def shared_receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def shared_sandbox() -> Iterator[Sandbox]:
    with running_sandbox(scale=0.05, days=5) as sandbox:
        yield sandbox


@pytest.fixture
def receiver(shared_receiver: Receiver) -> Receiver:
    shared_receiver.came.clear()
    return shared_receiver


@pytest.fixture
def sandbox(shared_sandbox: Sandbox, receiver: Receiver) -> Sandbox:
    """It sends to the receiver as the vendors do; what it tells at the beginning has come."""
    whole = {"speed": 1, "lose": 0, "duplicate": 0, "reorder": False, "stopped": False}
    for name in ("smartvend", "smartepi", "eatmachine"):
        account = shared_sandbox.vendors[name].key
        shared_sandbox.webhooks(vendor=name, account=account, address=receiver.base, **whole)
    shared_sandbox.settle()
    return shared_sandbox


def took(sandbox: Sandbox, receiver: Receiver, since: int = 0) -> list[Came]:
    """What came since then."""
    sandbox.settle()
    return receiver.came[since:]


def connector(sandbox: Sandbox, vendor: str) -> SendsWebhooks:
    account: Account = AccountSettings.model_validate(sandbox.vendors[vendor].account(sandbox.base)).account()
    found = CONNECT[account.vendor](account, new_client())
    assert isinstance(found, SendsWebhooks)
    return found


def delivery(came: Came) -> Delivery:
    _, _, _, *rest = came.path.split("/")
    machine, token = rest or (None, None)
    return Delivery(headers=came.headers, body=came.body, received_at=datetime.now(UTC), machine=machine, token=token)


def facts(sandbox: Sandbox, vendor: str, came: Came) -> Sequence[Fact]:
    """As a gateway reads it. What is not genuine, or cannot be read, fails the test."""
    reader = connector(sandbox, vendor)
    return reader.facts(reader.verify(delivery(came)), delivery(came))


def types(came: Sequence[Came]) -> list[str]:
    return [one.json["type"] for one in came]


# ---- SmartVend


def test_smartvend_tells_of_each_sale_as_its_list_does(sandbox: Sandbox, receiver: Receiver) -> None:
    since = len(receiver.came)
    made = sandbox.sell("smartvend", 3)
    came = took(sandbox, receiver, since)
    assert [one.json for one in came] == made == sandbox.truth("smartvend")["sales"][-3:]
    assert {one.path for one in came} == {"/webhooks/acme-coffee"}
    for one in came:
        assert one.json.keys() == CONTROLLER | SALE
        (fact,) = facts(sandbox, "smartvend", one)
        assert fact.identity == one.json["saleId"]


@pytest.mark.parametrize("code", CODES)
def test_smartvend_tells_of_each_event_as_its_list_does(sandbox: Sandbox, receiver: Receiver, code: str) -> None:
    since = len(receiver.came)
    (made,) = sandbox.happen("smartvend", code)
    (came,) = took(sandbox, receiver, since)
    assert came.json == made == sandbox.truth("smartvend")["events"][-1]
    assert came.json.keys() == CONTROLLER | EVENT
    assert made["code"] == code
    (fact,) = facts(sandbox, "smartvend", came)
    assert fact.identity == made["id"]


def test_smartvend_signs_what_it_sends_and_not_how_it_is_written(sandbox: Sandbox, receiver: Receiver) -> None:
    since = len(receiver.came)
    sandbox.sell("smartvend")
    (came,) = took(sandbox, receiver, since)
    reader = connector(sandbox, "smartvend")
    rewritten = json.dumps(came.json, indent=2, sort_keys=True).encode()
    assert reader.verify(delivery(Came(came.path, came.headers, rewritten))) == came.json
    forged = json.dumps({**came.json, "totalPrice": "1"}).encode()
    with pytest.raises(Forged):
        reader.verify(delivery(Came(came.path, came.headers, forged)))


async def test_smartvend_tells_of_a_product_that_was_issued(sandbox: Sandbox, receiver: Receiver) -> None:
    since = len(receiver.came)
    account = sandbox.vendors["smartvend"].account(sandbox.base)
    controller = sandbox.truth("smartvend")["machines"][0]["id"]
    async with httpx2.AsyncClient(headers={"x-organization-key": account["credentials"]["organization_key"]}) as client:
        body = {"controllerId": controller, "position": 1}
        assert (await client.post(f"{account['base_url']}/issue-product", json=body)).status_code == 200
    (came,) = took(sandbox, receiver, since)
    assert (came.json["controllerId"], came.json["products"][0]["quantity"]) == (controller, 1)


# ---- SmartEPI


def test_smartepi_tells_of_each_transaction_in_an_envelope(sandbox: Sandbox, receiver: Receiver) -> None:
    for kind in ("withdrawal", "return", "exchange"):
        since = len(receiver.came)
        (made,) = sandbox.happen("smartepi", kind)
        (came,) = took(sandbox, receiver, since)
        told = came.json
        assert told.keys() == {"id", "type", "createdAt", "data"}
        assert (told["id"], told["type"]) == (f"evt_{kind}_created_{made['id']}", f"{kind}.created")
        assert (told["data"], told["createdAt"]) == (made, made["createdAt"])
        assert made in sandbox.truth("smartepi")["sales"]
        assert came.path == "/webhooks/acme-safety"
        (fact,) = facts(sandbox, "smartepi", came)
        assert fact.identity.endswith(made["id"])


def test_smartepi_sells_by_withdrawals(sandbox: Sandbox, receiver: Receiver) -> None:
    since = len(receiver.came)
    made = sandbox.sell("smartepi", 2)
    assert [one.json["data"] for one in took(sandbox, receiver, since)] == made


def test_smartepi_tells_of_trainings_and_sends_tests(sandbox: Sandbox, receiver: Receiver) -> None:
    since = len(receiver.came)
    (training,) = sandbox.happen("smartepi", "training_record")
    sandbox.happen("smartepi", "webhook.test")
    one, other = took(sandbox, receiver, since)
    assert (one.json["type"], one.json["data"]) == ("training_record.created", training)
    assert sandbox.truth("smartepi")["trainings"] == [training]
    assert len(facts(sandbox, "smartepi", one)) == 1
    assert other.json["type"] == "webhook.test"
    assert facts(sandbox, "smartepi", other) == []


def test_smartepi_signs_the_bytes_and_the_time_anew_with_each_try() -> None:
    moments = iter(range(1_790_000_000, 1_800_000_000, 100))
    with (
        receiving() as receiver,
        running_sandbox(scale=0.05, days=5, now=lambda: datetime.fromtimestamp(next(moments), UTC)) as sandbox,
    ):
        receiver.statuses = [500]
        sandbox.webhooks(vendor="smartepi", address=receiver.base, speed=HURRIED)
        sandbox.sell("smartepi")
        first, second = took(sandbox, receiver)
        assert first.body == second.body
        header = re.compile(r"t=(\d{10}),v1=[0-9a-f]{64}")
        signed = [header.fullmatch(one.headers["x-smartepi-signature"]) for one in (first, second)]
        assert signed[0] is not None
        assert signed[1] is not None
        assert int(signed[0][1]) < int(signed[1][1])


# ---- EatMachine


def fridge(sandbox: Sandbox) -> str:
    found: str = sandbox.truth("eatmachine")["machines"][0]["uuid"]
    return found


def inside(sandbox: Sandbox, native: str) -> set[str]:
    return {row["epc"] for row in sandbox.truth("eatmachine")["tags"] if row["fridge"] == native}


def test_each_fridge_links_its_tags_and_starts_at_the_beginning(sandbox: Sandbox, receiver: Receiver) -> None:
    """Known products only: a tag that nobody linked is in stock all the same."""
    tags = sandbox.truth("eatmachine")["tags"]
    names = {row["uuid"]: row["name"] for row in sandbox.truth("eatmachine")["products"]}
    linked = [one for one in receiver.came if one.json["type"] == "product-linked"]
    others = [one for one in receiver.came if one.json["type"] != "product-linked"]
    assert {code["code"]: one.json["product"]["uuid"] for one in linked for code in one.json["data"]} == {
        tag["epc"]: tag["product"] for tag in tags if tag["product"] is not None
    }
    for one in linked:
        assert one.json.keys() == {"type", "data", "product"}
        assert all(code.keys() == {"code", "expirationDate"} for code in one.json["data"])
        assert names[one.json["product"]["uuid"]] == one.json["product"]["name"]
    for native in {tag["fridge"] for tag in tags}:
        own = [one for one in others if native in one.path]
        assert types(own) == ["boot", "door-status", "temperature", "inventory"]
        assert set(own[-1].json["data"]["epcs"]) == inside(sandbox, native)
        assert any(tag["product"] is None for tag in tags if tag["fridge"] == native)
    assert all(re.fullmatch("[0-9a-f]{24}", tag["epc"]) for tag in tags)


def test_each_fridge_has_an_address_of_its_own_that_a_gateway_knows(sandbox: Sandbox, receiver: Receiver) -> None:
    reader = connector(sandbox, "eatmachine")
    told = {one.path for one in receiver.came}
    fridges = [row["uuid"] for row in sandbox.truth("eatmachine")["machines"]]
    assert told == {f"/webhooks/acme-fridges{reader.address(native)}" for native in fridges}
    for one in receiver.came:
        facts(sandbox, "eatmachine", one)
    sandbox.webhooks(vendor="eatmachine", account="other-fridges", address=receiver.base)
    assert took(sandbox, receiver)[-1].path.startswith("/webhooks/other-fridges/")
    assert took(sandbox, receiver)[-1].path not in {path.replace("acme-", "other-") for path in told}


def test_a_customers_opening_is_told_step_by_step(sandbox: Sandbox, receiver: Receiver) -> None:
    native, since = fridge(sandbox), len(receiver.came)
    before = inside(sandbox, native)
    made = sandbox.happen("eatmachine", "open", machine=native)
    came = took(sandbox, receiver, since)
    assert [one.json for one in came] == made
    steps = [
        ("ack", None, "ack"),
        ("door-status", {"status": "unlocked"}, "unlocked"),
        ("door-status", {"status": "opened"}, "opened"),
        ("door-status", {"status": "closed"}, "closed"),
    ]
    assert [(one["type"], one["data"], one["command"]["status"]) for one in made[:4]] == steps
    assert [one["fridge"]["doorStatus"] for one in made[:4]] == ["closed", "unlocked", "opened", "closed"]
    counted, filmed = made[4:]
    after = inside(sandbox, native)
    assert (counted["type"], counted["command"]["status"]) == ("inventory", "inventory")
    assert set(counted["data"]["epcs"]) == after < before
    assert (set(counted["data"]["removed"]), counted["data"]["added"]) == (before - after, [])
    assert filmed["type"] == "video"
    assert filmed["data"]["url"] == counted["command"]["video"]
    (command,) = {one["command"]["uuid"] for one in made}
    known = sandbox.truth("eatmachine")["commands"][-1]
    assert (known["uuid"], known["type"]["slug"], known["fridge"]) == (command, "open", native)
    for one in came:
        facts(sandbox, "eatmachine", one)


def test_a_refill_links_its_tags_before_it_puts_them_in(sandbox: Sandbox) -> None:
    native = fridge(sandbox)
    before = inside(sandbox, native)
    made = sandbox.happen("eatmachine", "refill", machine=native)
    linked = {code["code"] for one in made if one["type"] == "product-linked" for code in one["data"]}
    (counted,) = (one for one in made if one["type"] == "inventory")
    assert made.index(counted) > max(at for at, one in enumerate(made) if one["type"] == "product-linked")
    assert set(counted["data"]["added"]) == linked == inside(sandbox, native) - before
    assert counted["data"]["removed"] == []


def test_a_fridge_never_runs_empty(sandbox: Sandbox) -> None:
    native = fridge(sandbox)
    openings = sandbox.sell("eatmachine", 30, native)
    assert len(openings) == 30
    assert all(one["data"]["removed"] for one in openings)


@pytest.mark.parametrize(
    ("slug", "told"),
    [
        ("inventory", ["ack", "inventory"]),
        ("temperature", ["ack", "temperature"]),
        ("door-status", ["ack", "door-status"]),
        ("restart-app", ["ack"]),
        ("reboot", ["ack", "shutdown", "boot", "door-status", "temperature", "inventory"]),
        ("open", ["ack", "door-status", "door-status", "door-status", "inventory", "video"]),
    ],
)
def test_a_command_of_the_api_is_told_of_as_it_goes_on(
    sandbox: Sandbox, receiver: Receiver, slug: str, told: list[str]
) -> None:
    native, since = fridge(sandbox), len(receiver.came)
    account = sandbox.vendors["eatmachine"].account(sandbox.base)
    headers = {"authorization": f"Bearer {account['credentials']['api_key']}"}
    sandbox.webhooks(vendor="eatmachine", speed=HURRIED)
    answer = httpx2.post(f"{account['base_url']}/fridges/{native}/commands/{slug}", headers=headers)
    command = answer.json()["data"]
    assert command["status"] is None
    receiver.wait_for(since + len(told))
    came = took(sandbox, receiver, since)
    assert types(came) == told
    for one in came[: 2 if slug == "reboot" else len(told)]:
        assert one.json["command"].keys() - {"video"} == command.keys()
        assert one.json["command"]["uuid"] == command["uuid"]
    ended = {"open": "inventory", "restart-app": "ack"}.get(slug, "success")
    assert sandbox.truth("eatmachine")["commands"][-1]["status"] == ended
    for one in came:
        facts(sandbox, "eatmachine", one)


def test_what_a_fridge_tells_by_itself_has_the_documented_shape(sandbox: Sandbox, receiver: Receiver) -> None:
    native = fridge(sandbox)
    members = {
        "heartbeat": ({"type", "data", "fridge"}, None),
        "badge-presented": ({"type", "data", "fridge", "command"}, {"badge_token"}),
        "screen-status": ({"type", "data", "fridge"}, {"status"}),
        "video": ({"type", "data", "fridge"}, {"url"}),
        "shutdown": ({"type", "data", "fridge"}, None),
    }
    for kind, (outer, inner) in members.items():
        since = len(receiver.came)
        (made,) = sandbox.happen("eatmachine", kind, machine=native)
        (came,) = took(sandbox, receiver, since)
        assert (came.json, made["type"]) == (made, kind)
        assert made.keys() == outer
        assert (made["data"] and made["data"].keys()) == inner
        shown = made["fridge"]
        assert shown.keys() == {
            "uuid", "doorStatus", "temperature", "lastActivity", "settings", "fleet", "createdAt", "updatedAt",
        }  # fmt: skip
        assert shown["settings"]["webhookUrl"] == receiver.base + came.path
        assert facts(sandbox, "eatmachine", came)


def test_a_fridge_that_is_down_says_nothing_until_it_boots(sandbox: Sandbox) -> None:
    native = fridge(sandbox)
    sandbox.happen("eatmachine", "shutdown", machine=native)
    for kind in ("heartbeat", "temperature", "open", "reboot"):
        assert sandbox.happen("eatmachine", kind, machine=native) == []
    booted = sandbox.happen("eatmachine", "boot", machine=native)
    assert [one["type"] for one in booted] == ["boot", "door-status", "temperature", "inventory"]


@pytest.mark.parametrize("slug", ["open", "inventory", "temperature", "door-status", "reboot", "restart-app"])
def test_a_fridge_fails_at_its_next_command_where_that_is_wanted(
    sandbox: Sandbox, receiver: Receiver, slug: str
) -> None:
    native = fridge(sandbox)
    before = inside(sandbox, native)
    assert sandbox.happen("eatmachine", "failure", machine=native) == []
    since = len(receiver.came)
    (told,) = sandbox.happen("eatmachine", slug, machine=native)
    assert (told["type"], told["data"], told["command"]["type"]["slug"]) == ("ack", None, slug)
    assert (told["command"]["status"], told["command"]["message"]) == ("failed", "The fridge could not do it")
    assert (told["fridge"]["doorStatus"], inside(sandbox, native)) == ("closed", before)
    (came,) = took(sandbox, receiver, since)
    assert facts(sandbox, "eatmachine", came)
    again = sandbox.happen("eatmachine", slug, machine=native)
    assert (again[0]["command"]["status"], again[0]["command"]["message"]) == ("ack", None)


def test_a_fridge_tells_whoever_it_was_made_for(sandbox: Sandbox, receiver: Receiver) -> None:
    account = sandbox.vendors["eatmachine"].account(sandbox.base)
    headers = {"authorization": f"Bearer {account['credentials']['api_key']}"}
    fleet = sandbox.truth("eatmachine")["machines"][0]["fleet"]["uuid"]
    body = {"fleet_id": fleet, "settings": {"webhookUrl": f"{receiver.base}/mine"}}
    made = httpx2.post(f"{account['base_url']}/fridges", json=body, headers=headers).json()["data"]
    since = len(receiver.came)
    sandbox.happen("eatmachine", "heartbeat", machine=made["uuid"])
    (came,) = took(sandbox, receiver, since)
    assert (came.path, came.json["fridge"]["uuid"]) == ("/mine", made["uuid"])


# ---- switches


def test_what_was_sent_is_told_with_its_status(sandbox: Sandbox, receiver: Receiver) -> None:
    receiver.statuses = [401]
    sandbox.webhooks(vendor="smartvend", speed=HURRIED)
    (sale,) = sandbox.sell("smartvend")
    sandbox.settle()
    told = httpx2.get(f"{sandbox.base}/_sandbox/webhooks?vendor=smartvend").json()["smartvend"]
    tries = [one for one in told["sent"] if one["id"] == sale["saleId"]]
    assert [(one["kind"], one["attempt"], one["status"]) for one in tries] == [("sale", 0, 401), ("sale", 1, 200)]
    assert (told["address"], told["account"], told["speed"]) == (receiver.base, "acme-coffee", HURRIED)
    assert "token" not in json.dumps(sandbox.webhooks())


def test_a_switch_turns_what_it_names_and_nothing_else(sandbox: Sandbox) -> None:
    before = sandbox.webhooks()
    assert before.keys() == {"smartvend", "smartepi", "eatmachine"}
    after = sandbox.webhooks(vendor="smartepi", lose=2, duplicate=3, reorder=True, stopped=True)
    changed = {"lose": 2, "duplicate": 3, "reorder": True, "stopped": True}
    assert after == {"smartepi": before["smartepi"] | changed}
    assert sandbox.webhooks() == before | after
    none = sandbox.webhooks(address=None)
    assert {one["address"] for one in none.values()} == {None}


@pytest.mark.parametrize(
    ("path", "body", "reason"),
    [
        ("webhooks", {"vendor": "livello"}, "`vendor` must be one of smartvend, smartepi, eatmachine"),
        ("webhooks", {"speeed": 2}, "speeed: "),
        ("webhooks", {"speed": 0}, "speed: "),
        ("webhooks", {"lose": -1}, "lose: "),
        ("webhooks", {"duplicate": True}, "duplicate: "),
        ("webhooks", {"address": "gateway:8000"}, "address: "),
        ("webhooks", [], "object"),
        ("events", {"vendor": "smartvend", "kind": "flood"}, "`kind` must be one of no-water, "),
        ("events", {"vendor": "nobody"}, "`vendor` must be one of smartvend, livello, "),
        ("events", {"vendor": "smartvend", "count": 0}, "count: "),
    ],
)
def test_a_switch_that_cannot_be_turned_says_why(sandbox: Sandbox, path: str, body: Any, reason: str) -> None:
    answer = httpx2.post(f"{sandbox.base}/_sandbox/{path}", json=body)
    assert (answer.status_code, reason in answer.json()["message"]) == (400, True), answer.text


def test_there_are_no_events_of_a_machine_that_is_not_there(sandbox: Sandbox) -> None:
    for vendor in sandbox.vendors:
        answer = httpx2.post(f"{sandbox.base}/_sandbox/events", json={"vendor": vendor, "machine": "nowhere"})
        assert answer.status_code == 404, vendor


@pytest.mark.parametrize("vendor", ["livello", "vendnovation"])
def test_a_vendor_without_webhooks_has_events_in_its_list(sandbox: Sandbox, vendor: str) -> None:
    for kind in sandbox.vendors[vendor].event_kinds:
        (made,) = sandbox.happen(vendor, kind)
        assert made in sandbox.truth(vendor)["events"]
        assert kind in (made.get("type"), made.get("code"))


# ---- what happens by itself


def lived(seed: int) -> list[Any]:
    """What 40 turns of a lively fleet led to."""
    start = datetime(2026, 3, 4, 15, 6, 7, tzinfo=UTC)
    world = World(seed=seed, scale=0.05, days=5, start=start, now=lambda: start)
    vendors = create_app(world).state.vendors
    lively = Lively(world, list(vendors.values()), 1.0)
    for _ in range(40):
        lively.step()
    sales = [vendor.truth()["sales"] for vendor in vendors.values()]
    opened = [(row["fridge"], row["type"]["slug"]) for row in vendors["eatmachine"].truth()["commands"]]
    return [*sales, vendors["smartvend"].truth()["events"], opened]


def test_a_lively_fleet_lives_the_same_life_for_the_same_seed() -> None:
    assert lived(7) == lived(7) != lived(8)
    *_, events, opened = lived(7)
    assert events
    assert opened


def test_a_lively_sandbox_sends_by_itself(receiver: Receiver) -> None:
    app = create_app(World(scale=0.05, days=5), webhooks_to=receiver.base, lively=0.01)
    with start(app) as server:
        Sandbox(server.base, app).webhooks(vendor="eatmachine", speed=HURRIED)
        receiver.wait_for(60)
    assert {one.path.split("/")[2] for one in receiver.came} == {"acme-coffee", "acme-safety", "acme-fridges"}
