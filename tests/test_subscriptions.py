"""What is followed: everything, once, in order, whichever the transport, and by nobody else."""

import asyncio
import hmac
import json
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest
import websockets

from domain.times import utc_now
from gateway.channels import KEPT
from journal.log import prune
from journal.store import open_store
from sandbox.eatmachine_fridges import URL_SECRET
from tests.cutting import Cutting, cutting
from tests.following import (
    SALES,
    Events,
    Shop,
    Socket,
    codes,
    events,
    heard,
    metric,
    narrow,
    sold,
    subscribed,
    until,
)
from tests.processes import running
from tests.running import ADMIN, STRANGER, VIEWER, Gateway, Sandbox, config_text, running_gateway, running_sandbox
from tests.telling import signed, smartvend_sale

MACHINES = "subscription { machines { cursor origin changed machine { vendorId temperature { celsius } } } }"
TRANSPORTS = pytest.mark.parametrize("transport", ["websocket", "sse"])


async def first(gateway: Gateway, transport: str, query: str, variables: Any = None, key: str = ADMIN) -> Any:
    """The first thing that is told: a result, or the errors for which there is none."""
    if transport == "sse":
        async with events(gateway, query, variables, key=key) as stream:
            event = await stream.hear()
            assert event is not None
            return json.loads(event["data"])
    async with Socket(gateway, key) as socket:
        await socket.subscribe(query, variables)
        message = await socket.hear()
        return {"errors": message["payload"]} if message["type"] == "error" else message["payload"]


async def cursors(
    gateway: Gateway, count: int, query: str = SALES, variables: Any = None
) -> tuple[list[str], list[str]]:
    """Sells, and the cursors of what was sold."""
    async with events(gateway, query, variables) as stream, Shop(gateway) as shop:
        sales = await shop.sell(count)
        return sales, [(await stream.next())["sales"]["cursor"] for _ in sales]


async def report(gateway: Gateway, fridge: str, celsius: float) -> None:
    """A fridge's temperature, as EatMachine tells it."""
    token = hmac.digest(URL_SECRET.encode(), f"acme-fridges/{fridge}".encode(), "sha256").hex()
    command = {"uuid": str(uuid4()), "type": {"name": "Temperature", "slug": "temperature"}, "status": "success"}
    body = {
        "type": "temperature",
        "data": {"temperature": celsius},
        "fridge": {"uuid": fridge, "doorStatus": "closed", "temperature": celsius},
        "command": command,
    }
    async with httpx2.AsyncClient(trust_env=False) as client:
        answer = await client.post(f"{gateway.base}/webhooks/acme-fridges/{fridge}/{token}", json=body)
    assert answer.status_code == 200, answer.text


# What can be asked for

ASKED: dict[str, tuple[str, Any]] = {
    "an alias": ("subscription { s: sales { t: sale { vendorId } cursor } }", None),
    "a fragment at the root": (
        "subscription { ...F } fragment F on Subscription { sales { cursor sale { vendorId } } }",
        None,
    ),
    "a fragment in place": (
        "subscription { ... on Subscription { sales { ...M } } } fragment M on SaleMessage { sale { vendorId } }",
        None,
    ),
    "types": ("subscription { sales { __typename sale { __typename vendorId } } }", None),
    "variables in the filter": (
        "subscription S($v: [Vendor!], $t: DateTime) { sales(filter: { vendors: $v, to: $t }) { sale { vendorId } } }",
        {"v": ["SMARTVEND"], "t": "2100-01-01T00:00:00Z"},
    ),
    "a filter that is null": (SALES, {"filter": None, "after": None}),
    "an empty filter": (SALES, {"filter": {}}),
    "a variable of no use": (SALES, {"nothing": {"deep": [1]}}),
    "what is left out": (
        "subscription S($no: Boolean = false) { sales { cursor @include(if: $no) sale { vendorId } } }",
        None,
    ),
    "what a sale leads to": (
        "subscription { sales { sale { vendorId machine { name } organization { name } lines { productName } } } }",
        None,
    ),
}


@TRANSPORTS
@pytest.mark.parametrize("what", ASKED)
async def test_a_subscription_may_ask_as_a_query_may(gateway: Gateway, transport: str, what: str) -> None:
    query, variables = ASKED[what]
    asking = asyncio.create_task(first(gateway, transport, query, variables))
    await subscribed(gateway)
    async with Shop(gateway) as shop:
        (sale,) = await shop.sell()
    result = await asking
    assert "errors" not in result
    assert sale in json.dumps(result["data"])
    await subscribed(gateway, 0)


async def test_a_message_shows_what_is_asked_and_nothing_else(gateway: Gateway) -> None:
    query = (
        "subscription S($yes: Boolean!) { all: sales { __typename origin sale @include(if: $yes)"
        " { id: vendorId trust } gap @skip(if: $yes) { message } } }"
    )
    async with Socket(gateway) as socket, Shop(gateway) as shop:
        await socket.subscribe(query, {"yes": True})
        await subscribed(gateway)
        (sale,) = await shop.sell()
        told = {"__typename": "SaleMessage", "origin": "WEBHOOK", "sale": {"id": sale, "trust": "SIGNED"}}
        assert await socket.next() == {"all": told}


FILTERS: dict[str, tuple[dict[str, Any], bool]] = {
    "its vendor": ({"vendors": ["SMARTVEND", "LIVELLO"]}, True),
    "another vendor": ({"vendors": ["LIVELLO"]}, False),
    "no vendor": ({"vendors": []}, False),
    "its kind": ({"kinds": ["PURCHASE"]}, True),
    "another kind": ({"kinds": ["RETURN"]}, False),
    "a time that has begun": ({"from": "2020-01-01T00:00:00Z"}, True),
    "a time that is over": ({"to": "2020-01-01T00:00:00Z"}, False),
    "another account": ({"accounts": ["bm90aGluZw"]}, False),
    "another machine": ({"machines": ["bm90aGluZw"]}, False),
}


@pytest.mark.parametrize("what", FILTERS)
async def test_a_filter_lets_through_what_it_would_of_a_list(gateway: Gateway, what: str) -> None:
    filter_, passes = FILTERS[what]
    async with Socket(gateway) as socket, Shop(gateway) as shop:
        await socket.subscribe(SALES, {"filter": filter_}, id_="narrow")
        await socket.subscribe(SALES, id_="all")
        await subscribed(gateway, 2)
        (sale,) = await shop.sell()
        told = {message["id"] for message in [await socket.hear() for _ in range(1 + passes)]}
        assert told == ({"narrow", "all"} if passes else {"all"})
        listed = gateway.ask(
            "query Q($filter: SaleFilter) { sales(first: 30, filter: $filter) { nodes { vendorId } } }",
            {"filter": filter_},
        )["sales"]["nodes"]
        assert ({"vendorId": sale} in listed) == passes


async def test_events_and_machines_are_followed_as_sales_are(gateway: Gateway) -> None:
    query = "subscription { events { cursor origin event { vendorId severity trust } } }"
    async with events(gateway, query) as alarms, events(gateway, MACHINES) as machines, Shop(gateway) as shop:
        await shop.sell()
        event = json.loads((Path(__file__).parent / "fixtures/webhooks/smartvend/event.json").read_text("utf-8"))
        content, headers = signed(event | {"id": str(uuid4())})
        answer = await asyncio.to_thread(
            httpx2.post, f"{gateway.base}/webhooks/acme-coffee", content=content, headers=headers
        )
        assert answer.status_code == 200
        told = (await alarms.next())["events"]
        assert told["event"] == {"vendorId": json.loads(content)["id"], "severity": "CRITICAL", "trust": "SIGNED"}
        fridge = str(uuid4())
        await report(gateway, fridge, 4.5)
        told = (await machines.next())["machines"]
        assert told["machine"] == {"vendorId": fridge, "temperature": {"celsius": 4.5}}
        assert "temperature" in told["changed"]


@pytest.mark.parametrize(
    ("filter_", "passes"),
    [
        ({"vendors": ["EATMACHINE"]}, True),
        ({"vendors": ["LIVELLO", "SMARTVEND"]}, False),
        ({"connectivity": "ONLINE"}, True),
        ({"connectivity": "OFFLINE"}, False),
        ({"search": "0f0e0d0c"}, True),
        ({"search": "another"}, False),
        ({"accounts": []}, False),
        ({"organizations": ["bm90aGluZw"]}, False),
    ],
    ids=json.dumps,
)
async def test_machines_are_narrowed_as_their_list_is(gateway: Gateway, filter_: dict[str, Any], passes: bool) -> None:
    query = "subscription M($filter: MachineFilter) { machines(filter: $filter) { machine { vendorId } } }"
    async with Socket(gateway) as socket:
        await socket.subscribe(query, {"filter": filter_}, id_="narrow")
        await socket.subscribe(query, id_="all")
        await subscribed(gateway, 2)
        fridge = f"0f0e0d0c-{str(uuid4())[9:]}"
        await report(gateway, fridge, 4.5)
        told = {message["id"] for message in [await socket.hear() for _ in range(1 + passes)]}
        assert told == ({"narrow", "all"} if passes else {"all"})
        listed = gateway.ask(
            "query M($f: MachineFilter) { machines(first: 1000, filter: $f) { nodes { vendorId } } }", {"f": filter_}
        )
        assert ({"vendorId": fridge} in listed["machines"]["nodes"]) == passes


async def test_commands_can_be_followed(gateway: Gateway) -> None:
    query = "subscription C($f: CommandFilter) { commands(filter: $f) { cursor command { id status } } }"
    async with Socket(gateway) as socket:
        await socket.subscribe(query, {"f": {"statuses": ["SENT"], "machines": []}})
        await subscribed(gateway)
        assert await socket.quiet()


async def test_each_message_shows_what_holds_when_it_is_told(gateway: Gateway) -> None:
    """And not what the first one loaded."""
    fridge = str(uuid4())
    async with events(gateway, MACHINES) as stream:
        for celsius in (4.5, 5.5, 3.25):
            await report(gateway, fridge, celsius)
            told = (await stream.next())["machines"]["machine"]
            assert told == {"vendorId": fridge, "temperature": {"celsius": celsius}}


async def test_what_a_vendor_does_not_tell_now_costs_a_message_that_part_alone(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    with running_gateway(sandbox, tmp_path) as gateway:
        sandbox.break_("smartvend", "status", status=500)
        async with Socket(gateway) as socket, Shop(gateway) as shop:
            await socket.subscribe("subscription { sales { cursor sale { vendorId machine { name } } } }")
            await subscribed(gateway)
            (sale,) = await shop.sell()
            result = (await socket.hear())["payload"]
            assert result["data"]["sales"]["sale"] == {"vendorId": sale, "machine": None}
            assert codes(result["errors"]) == ["VENDOR_UNAVAILABLE"]


# Where it goes on


@TRANSPORTS
async def test_what_was_told_since_comes_first_and_then_what_comes(gateway: Gateway, transport: str) -> None:
    sales, known = await cursors(gateway, 5)
    async with Shop(gateway) as shop:
        sales += await shop.sell(2)
        if transport == "sse":
            async with events(gateway, SALES, {"after": known[1]}) as stream:
                sales += await shop.sell(2)
                assert await heard(stream, 7) == sales[2:]
        else:
            async with Socket(gateway) as socket:
                await socket.subscribe(SALES, {"after": known[1]})
                sales += await shop.sell(2)
                assert await heard(socket, 7) == sales[2:]
                assert await socket.quiet()


async def test_a_sale_is_told_with_the_same_cursor_over_either_transport(gateway: Gateway) -> None:
    _, (before, cursor) = await cursors(gateway, 2)
    for transport in ("websocket", "sse"):
        result = await first(gateway, transport, SALES, {"after": before})
        assert result["data"]["sales"]["cursor"] == cursor


async def test_a_cursor_is_good_on_every_replica(shared_sandbox: Sandbox, tmp_path: Path, store_url: str) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with (
        running_gateway(shared_sandbox, tmp_path / "a", store=store_url) as one,
        running_gateway(shared_sandbox, tmp_path / "b", store=store_url) as other,
    ):
        sales, known = await cursors(one, 2)
        async with events(other, SALES, {"after": known[0]}) as stream, Shop(one) as shop:
            sales += await shop.sell(2)
            assert await heard(stream, 3) == sales[1:]


async def test_a_cursor_is_good_when_the_gateway_has_started_again(shared_sandbox: Sandbox, tmp_path: Path) -> None:
    with running_gateway(shared_sandbox, tmp_path) as gateway:
        sales, known = await cursors(gateway, 3)
    with running_gateway(shared_sandbox, tmp_path) as gateway:
        async with events(gateway, SALES, {"after": known[0]}) as stream:
            assert await heard(stream, 2) == sales[1:]


FOREIGN: dict[str, tuple[str, Any, str]] = {
    "of another subscription": ("subscription S($after: String) { events(after: $after) { cursor } }", {}, ADMIN),
    "of another filter": (SALES, {"filter": {"vendors": ["SMARTVEND"]}}, ADMIN),
    "of other organizations": (SALES, {}, STRANGER),
}


@TRANSPORTS
@pytest.mark.parametrize("what", FOREIGN)
async def test_a_cursor_belongs_to_what_it_was_given_for(gateway: Gateway, transport: str, what: str) -> None:
    query, variables, key = FOREIGN[what]
    _, (cursor,) = await cursors(gateway, 1)
    result = await first(gateway, transport, query, {**variables, "after": cursor}, key)
    assert codes(result["errors"]) == ["BAD_INPUT"]


@TRANSPORTS
async def test_a_cursor_of_a_list_is_none_of_a_subscription(gateway: Gateway, transport: str) -> None:
    async with Shop(gateway) as shop:
        await shop.sell()
    page = gateway.ask("{ sales(first: 1) { pageInfo { endCursor } } }")["sales"]["pageInfo"]
    result = await first(gateway, transport, SALES, {"after": page["endCursor"]})
    assert codes(result["errors"]) == ["BAD_INPUT"]
    _, (cursor,) = await cursors(gateway, 1)
    answer = gateway.post(
        "query Q($after: String) { sales(first: 1, after: $after) { nodes { id } } }", {"after": cursor}
    )
    assert codes(answer.json()["errors"]) == ["BAD_INPUT"]


@TRANSPORTS
async def test_a_cursor_that_was_changed_is_none(gateway: Gateway, transport: str) -> None:
    _, (cursor,) = await cursors(gateway, 1)
    for forged in (cursor[:-1], cursor + "AA", cursor[:30] + "A" + cursor[31:], cursor[::-1], "", "é", "x" * 10_000):
        if forged != cursor:
            result = await first(gateway, transport, SALES, {"after": forged})
            assert codes(result["errors"]) == ["BAD_INPUT"], forged


async def test_another_key_of_the_same_organizations_goes_on_from_the_same_cursor(gateway: Gateway) -> None:
    sales, known = await cursors(gateway, 2)
    async with events(gateway, SALES, {"after": known[0]}, key=VIEWER) as stream:
        assert await heard(stream, 1) == sales[1:]


# What is gone


async def test_what_is_kept_no_longer_is_told_as_a_gap(shared_sandbox: Sandbox, tmp_path: Path, store_url: str) -> None:
    with running_gateway(shared_sandbox, tmp_path, store=store_url) as gateway:
        _, known = await cursors(gateway, 3)
    engine = open_store(store_url)
    assert prune(engine, utc_now()) == 3
    engine.dispose()
    with running_gateway(shared_sandbox, tmp_path, store=store_url) as gateway:
        async with Shop(gateway) as shop:
            (sale,) = await shop.sell()
        for transport in ("websocket", "sse"):
            result = await first(gateway, transport, SALES, {"after": known[0]})
            told = result["data"]["sales"]
            assert (told["sale"], told["origin"], told["cursor"]) == (None, "GATEWAY", known[2])
            assert told["gap"] == {"from": known[0], "to": known[2], "message": told["gap"]["message"]}
            assert sold((await first(gateway, transport, SALES, {"after": told["cursor"]}))["data"]) == sale


async def test_a_gap_is_told_to_each_from_where_it_was(shared_sandbox: Sandbox, tmp_path: Path) -> None:
    """Though they share everything else."""
    with running_gateway(shared_sandbox, tmp_path) as gateway:
        _, known = await cursors(gateway, 4)
    engine = open_store(f"sqlite:///{tmp_path}/vendgraph.db")
    prune(engine, utc_now())
    engine.dispose()
    with running_gateway(shared_sandbox, tmp_path) as gateway:
        async with Socket(gateway) as socket, Shop(gateway) as shop:
            for number, cursor in enumerate(known):
                await socket.subscribe(SALES, {"after": cursor}, id_=str(number))
            gaps = {}
            for _ in known[:-1]:
                message = await socket.hear()
                gaps[int(message["id"])] = message["payload"]["data"]["sales"]["gap"]
            assert {number: gap["from"] for number, gap in gaps.items()} == dict(enumerate(known[:-1]))
            assert {gap["to"] for gap in gaps.values()} == {known[-1]}
            (sale,) = await shop.sell()
            for _ in known:
                assert sold((await socket.hear())["payload"]["data"]) == sale


# What breaks

SMALL = "subscription S($after: String) { sales(after: $after) { cursor sale { vendorId } } }"


async def take(listener: Socket | Events, sales: list[str], cursor: str | None, count: int) -> str | None:
    """Hears as much as there is before it breaks; the last cursor."""
    with suppress(websockets.ConnectionClosed, httpx2.TransportError, AssertionError):
        while len(sales) < count:
            message = (await listener.next())["sales"]
            sales.append(message["sale"]["vendorId"])
            cursor = message["cursor"]
    return cursor


async def follow(proxy: Cutting, gateway: Gateway, sales: list[str], cursor: str, count: int) -> None:
    """Over either transport in turn, from the last cursor on, as often as it takes."""
    at: str | None = cursor
    behind = Gateway(proxy.base)
    while len(sales) < count:
        with suppress(websockets.WebSocketException, OSError, EOFError):
            async with Socket(behind) as socket:
                await socket.subscribe(SMALL, {"after": at})
                at = await take(socket, sales, at, count)
        with suppress(httpx2.TransportError):
            async with events(
                gateway, SMALL, {"after": cursor}, headers={"last-event-id": at or ""}, base=proxy.base
            ) as stream:
                at = await take(stream, sales, at, count)


async def test_a_hundred_cuts_lose_nothing_and_repeat_nothing(gateway: Gateway) -> None:
    count = 250
    _, (cursor,) = await cursors(gateway, 1, SMALL)
    heard_of: list[str] = []
    async with cutting(gateway, most=1200) as proxy, Shop(gateway) as shop:
        following = asyncio.create_task(follow(proxy, gateway, heard_of, cursor, count))
        sales = await shop.sell(count)
        await following
        assert heard_of == sales
        assert proxy.cuts >= 100
    await subscribed(gateway, 0)


# Who is slow, and who shares

MANY = " ".join(f"a{number}: vendorData" for number in range(100))
LARGE = f"subscription S($after: String) {{ sales(after: $after) {{ cursor sale {{ vendorId {MANY} }} }} }}"


async def test_who_is_slow_slows_nobody_and_misses_nothing(gateway: Gateway) -> None:
    count = KEPT + 60
    executed, told = metric(gateway, "subscription_executions"), metric(gateway, "subscription_messages")
    async with Socket(gateway, **narrow(gateway)) as slow, Socket(gateway) as fast, Shop(gateway) as shop:
        for socket in (slow, fast):
            await socket.subscribe(LARGE)
        await subscribed(gateway, 2)
        slow.connection.transport.pause_reading()
        selling = asyncio.create_task(shop.sell(count))
        quick = await heard(fast, count)
        assert quick == await selling
        assert metric(gateway, "subscription_messages") - told < 1.5 * count
        assert metric(gateway, "subscription_executions") - executed == count
        slow.connection.transport.resume_reading()
        assert await heard(slow, count) == quick
        assert await slow.quiet()
        assert metric(gateway, "subscription_executions") - executed > count, "it was served from the journal"


async def test_equal_subscribers_share_the_work(gateway: Gateway) -> None:
    """Over either transport, from wherever each began, and however it said so."""
    query = (
        "subscription S($after: String, $vendors: [Vendor!])"
        " { sales(after: $after, filter: { vendors: $vendors }) { cursor sale { vendorId } } }"
    )
    sales, known = await cursors(gateway, 5, query, {"vendors": ["SMARTVEND"]})
    executed, told = metric(gateway, "subscription_executions"), metric(gateway, "subscription_messages")
    async with Socket(gateway) as socket, Shop(gateway) as shop:
        for number in range(20):
            await socket.subscribe(query, {"vendors": ["SMARTVEND"]}, id_=f"new {number}")
        for number, cursor in enumerate(known):
            await socket.subscribe(query, {"vendors": ["SMARTVEND"], "after": cursor, "no": 1}, id_=f"old {number}")
        await subscribed(gateway, 25)
        async with events(gateway, query, {"vendors": ["SMARTVEND"], "after": None}) as stream:
            sales += await shop.sell(3)
            assert await heard(stream, 3) == sales[5:]
            await until(gateway, "subscription_messages", told + 26 * 3 + (4 + 3 + 2 + 1))
    assert metric(gateway, "subscription_executions") - executed == 4 + 3


async def test_where_they_begin_may_stand_in_the_document(gateway: Gateway) -> None:
    query = 'subscription { ...F } fragment F on Subscription { s: sales(after: "%s") { cursor sale { vendorId } } }'
    sales, known = await cursors(gateway, 4)
    executed = metric(gateway, "subscription_executions")
    async with events(gateway, query % known[0]) as one, events(gateway, query % known[1]) as other:
        assert await heard(one, 3) == sales[1:]
        assert await heard(other, 2) == sales[2:]
    assert metric(gateway, "subscription_executions") - executed == 3


async def test_who_asks_for_something_else_shares_nothing(gateway: Gateway) -> None:
    query = "subscription S($no: Boolean!) { sales { cursor @skip(if: $no) sale { vendorId } } }"
    async with Socket(gateway) as socket, Socket(gateway, VIEWER) as viewer, Shop(gateway) as shop:
        await socket.subscribe(query, {"no": True}, id_="a")
        await socket.subscribe(query, {"no": False}, id_="b")
        await socket.subscribe(
            query.replace("cursor @skip(if: $no)", "gap @skip(if: $no) { message }"), {"no": False}, id_="c"
        )
        await viewer.subscribe(query, {"no": True})
        await subscribed(gateway, 4)
        executed = metric(gateway, "subscription_executions")
        await shop.sell()
        told = {
            message["id"]: list(message["payload"]["data"]["sales"]) for message in [await socket.hear() for _ in "abc"]
        }
        assert told == {"a": ["sale"], "b": ["cursor", "sale"], "c": ["gap", "sale"]}
        assert list((await viewer.next())["sales"]) == ["sale"]
        assert metric(gateway, "subscription_executions") - executed == 4


# Who hears


@pytest.fixture(scope="module")
def two_tenants(shared_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with (
        running_sandbox(seed=8) as other,
        running_gateway(shared_sandbox, tmp_path_factory.mktemp("two"), others=[other]) as gateway,
    ):
        yield gateway


async def test_another_organization_hears_nothing(two_tenants: Gateway) -> None:
    gateway = two_tenants
    async with Socket(gateway) as mine, Socket(gateway, STRANGER) as theirs:
        for socket in (mine, theirs):
            for id_, query in (("sales", SALES), ("machines", MACHINES)):
                await socket.subscribe(query, id_=id_)
        await subscribed(gateway, 4)
        async with Shop(gateway) as shop, Shop(gateway, "other-coffee") as other:
            ours, others = await shop.sell(3), await other.sell(2)
        await report(gateway, str(uuid4()), 4.5)
        assert [(await mine.hear())["id"] for _ in range(4)] == ["sales", "sales", "sales", "machines"]
        assert await heard_by(theirs, "sales", 2) == others
        assert await mine.quiet()
        assert await theirs.quiet()
        assert len({*ours, *others}) == 5


async def heard_by(socket: Socket, id_: str, count: int) -> list[str]:
    return [sold(await socket.next(id_)) for _ in range(count)]


async def test_another_organization_hears_nothing_of_the_past_either(two_tenants: Gateway) -> None:
    gateway = two_tenants
    async with events(gateway, SALES, key=STRANGER) as stream, Shop(gateway, "other-coffee") as other:
        await other.sell()
        cursor = (await stream.next())["sales"]["cursor"]
    async with Shop(gateway) as shop, Shop(gateway, "other-coffee") as other:
        await shop.sell(3)
        (sale,) = await other.sell()
    async with events(gateway, SALES, {"after": cursor}, key=STRANGER) as stream:
        assert await heard(stream, 1) == [sale]


# How it stops


async def test_whoever_stops_it_lets_what_is_under_way_end(shared_sandbox: Sandbox, tmp_path: Path) -> None:
    """Streams end so that their clients come again, a delivery that has begun is recorded, and then it is gone."""
    config = tmp_path / "vendgraph.toml"
    text = config_text(shared_sandbox, tmp_path).replace("[server]", "[server]\nport = 0")
    config.write_text(text, encoding="utf-8")
    with running(tmp_path, "serve", "--config", config) as process:
        process.wait_for("serving")
        gateway = Gateway(process.told()[0]["address"])
        async with Socket(gateway) as socket, Socket(gateway, None) as idle, events(gateway, SALES) as stream:
            await socket.subscribe(SALES)
            await subscribed(gateway, 2)
            async with delivery(gateway) as (begun, rest):
                await begun
                process.process.send_signal(signal.SIGTERM)
                code, reason = await socket.closed()
                assert code == 1012
                assert "cursor" in reason
                assert (await idle.closed())[0] == 1012
                assert await stream.rest() == []
                assert process.process.poll() is None
                assert (await rest()).startswith("HTTP/1.1 200 ")
        assert await asyncio.to_thread(process.process.wait, 10) == 0
        assert [line for line in process.told() if line["level"] != "info"] == []


@asynccontextmanager
async def delivery(gateway: Gateway) -> AsyncIterator[tuple[Awaitable[None], Callable[[], Awaitable[str]]]]:
    """One that comes slowly: it has begun when the gateway asks for the body, which is sent as the rest."""
    content, signature = signed(smartvend_sale())
    host, _, port = gateway.base.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    headers = {**signature, "host": host, "content-length": str(len(content)), "expect": "100-continue"}
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    writer.write(f"POST /webhooks/acme-coffee HTTP/1.1\r\n{head}\r\n".encode())

    async def begun() -> None:
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100 ")

    async def rest() -> str:
        writer.write(content)
        return (await reader.readuntil(b"\r\n\r\n")).decode()

    yield begun(), rest
    writer.close()


async def test_a_client_that_takes_nothing_does_not_keep_it_from_stopping(
    shared_sandbox: Sandbox, tmp_path: Path
) -> None:
    async with AsyncExitStack() as stack:
        with running_gateway(shared_sandbox, tmp_path) as gateway:
            stuck = await stack.enter_async_context(Socket(gateway, **narrow(gateway)))
            await stuck.subscribe(LARGE)
            await subscribed(gateway)
            stuck.connection.transport.pause_reading()
            async with Shop(gateway) as shop:
                await shop.sell(150)
        assert gateway.server is not None
        assert not gateway.server.thread.is_alive()
        stuck.connection.transport.abort()
