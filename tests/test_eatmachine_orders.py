"""EatMachine's commands: what reaches the vendor, what is known when it does not answer, and what its reports mean."""

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from itertools import product
from typing import Any

import httpx2
import pytest
from sqlalchemy import create_engine
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from structlog.testing import capture_logs

from connectors.acting import TakesOrders, TellsProgress, VendorRequest
from connectors.eatmachine import EatMachine, connect
from connectors.eatmachine.orders import SLUGS
from connectors.guard import Limits
from connectors.http import new_client
from connectors.reporting import Delivery
from domain.capabilities import Capability, UnavailableReason
from domain.commands import CommandStage, CommandStatus, Progress
from domain.errors import (
    BadInput,
    VendorError,
    VendorForbidden,
    VendorProtocolError,
    VendorRateLimited,
    VendorRejected,
    VendorUnauthorized,
    VendorUnavailable,
)
from domain.facts import CommandWord
from domain.model import AccountStatus, Connectivity, Vendor
from domain.orders import ORDERS, MachineOrder
from journal.appending import NO_MEANINGS
from journal.bus import Bus
from journal.journal import Journal
from resolvers.sources import CacheTimes, Source
from sandbox import eatmachine as emulated
from sandbox.app import create_app
from sandbox.eatmachine_fridges import AUTHOR, FAILURE, run
from sandbox.faults import Fault, Kind
from sandbox.server import start
from sandbox.world import World
from tests.deliveries import NOW, account, delivery, sample
from tests.receiving import until
from tests.running import Sandbox
from tests.vendors import BY_NAME, SMALL, Standing, account_of, secrets, standing

ACTS = {
    Capability.OPEN_DOOR: "open",
    Capability.SCAN_INVENTORY: "inventory",
    Capability.MEASURE_TEMPERATURE: "temperature",
    Capability.READ_DOOR: "door-status",
    Capability.REBOOT: "reboot",
    Capability.RESTART_APP: "restart-app",
}
OTHERS = sorted(ORDERS.keys() - ACTS.keys(), key=lambda kind: kind.value)
LOGIN, COMMANDS = "/eatmachine/auth/login", "/eatmachine/fridges/{}/commands/{}"
FRIDGE = "0d9f3c5a-6c1e-4f0b-9a57-21b7c4f8e6d2"
SECRET = "a secret of the addresses"


@pytest.fixture
async def it() -> AsyncIterator[Standing]:
    """A vendor of the test's own, and an account with an API key."""
    async with standing("eatmachine", login=False, vendor=emulated.EatMachine(SMALL)) as found:
        yield found


@pytest.fixture
async def logging_in() -> AsyncIterator[Standing]:
    """The same, with a password."""
    async with standing("eatmachine", vendor=emulated.EatMachine(SMALL)) as found:
        yield found


def fridge(it: Standing) -> str:
    return str(it.vendor.truth()["machines"][0]["uuid"])


def done(it: Standing) -> list[dict[str, Any]]:
    """The commands that the vendor took."""
    return it.vendor.truth()["commands"]


async def opening(it: Standing) -> VendorRequest:
    found: VendorRequest = await it.connector.prepare(MachineOrder(kind=Capability.OPEN_DOOR, machine=fridge(it)))
    return found


async def failure(connector: Any, request: VendorRequest) -> VendorError:
    with pytest.raises(VendorError) as caught:
        await connector.send(request)
    return caught.value


# ---- what may be asked


def source(it: Standing) -> Source:
    return Source(it.connector, CacheTimes(), Journal(create_engine("sqlite://"), Bus(), NO_MEANINGS))


@pytest.mark.parametrize("connectivity", Connectivity)
async def test_a_fridge_that_is_offline_is_asked_nothing(it: Standing, connectivity: Connectivity) -> None:
    machine = replace((await it.connector.machines()).items[0], connectivity=connectivity)
    offline = UnavailableReason.MACHINE_OFFLINE if connectivity is Connectivity.OFFLINE else None
    assert {source(it).refusal(kind, machine) for kind in ACTS} == {offline}
    assert {source(it).refusal(kind) for kind in ACTS} == {None}
    assert {source(it).refusal(kind, machine) for kind in OTHERS} == {UnavailableReason.UNSUPPORTED_BY_VENDOR}


async def test_an_account_without_webhooks_may_still_ask() -> None:
    """Though it will not hear what became of it."""
    async with standing("eatmachine", webhook=None) as it:
        machine = (await it.connector.machines()).items[0]
        assert {source(it).refusal(kind, machine) for kind in ACTS} == {None}
        assert source(it).refusal(Capability.DOOR, machine) is UnavailableReason.NEVER_REPORTED


# ---- what reaches the vendor


def test_the_acts_are_those_of_the_documents_and_the_roles_are_played() -> None:
    assert SLUGS == ACTS
    assert ACTS.keys() <= EatMachine.capabilities
    assert not EatMachine.capabilities & set(OTHERS)
    connector = fridges()
    assert isinstance(connector, TakesOrders)
    assert isinstance(connector, TellsProgress)


@pytest.mark.parametrize(("kind", "slug"), list(ACTS.items()))
async def test_an_order_is_one_request_without_a_body(it: Standing, kind: Capability, slug: str) -> None:
    request = await it.connector.prepare(MachineOrder(kind=kind, machine=fridge(it)))
    assert it.wire.asked == []
    taken = await it.connector.send(request)
    (asked,) = it.wire.asked
    assert (asked.method, asked.path) == ("POST", COMMANDS.format(fridge(it), slug))
    assert (asked.query, asked.body) == ("", b"")
    assert asked.headers["authorization"] == f"Bearer {emulated.API_KEY}"
    assert (asked.headers["content-type"], asked.headers["content-length"]) == ("application/json", "0")
    (command,) = done(it)
    assert (command["type"]["slug"], command["fridge"]) == (slug, fridge(it))
    assert (taken.done, taken.vendor_id) == (False, command["uuid"])


async def test_what_is_shown_of_the_answer_tells_of_no_person(it: Standing) -> None:
    taken = await it.connector.send(await opening(it))
    (command,) = done(it)
    assert taken.result == {"uuid": command["uuid"], "status": None, "createdAt": command["createdAt"]}
    assert AUTHOR not in repr(taken)


@pytest.mark.parametrize(("kind", "slug"), list(ACTS.items()))
async def test_what_would_be_sent_is_shown_and_not_sent(it: Standing, kind: Capability, slug: str) -> None:
    request = await it.connector.prepare(MachineOrder(kind=kind, machine=FRIDGE))
    assert it.connector.shown(request) == ("POST", f"/fridges/{FRIDGE}/commands/{slug}", None)
    assert it.wire.asked == []


async def test_another_path_may_be_configured() -> None:
    endpoints = {"post-command": "PUT /v2/{uuid}/{slug}"}
    async with standing("eatmachine", login=False, endpoints=endpoints) as it:
        request = await opening(it)
        assert it.connector.shown(request) == ("PUT", f"/v2/{fridge(it)}/open", None)
        assert isinstance(await failure(it.connector, request), VendorRejected)
    assert [(asked.method, asked.path) for asked in it.wire.asked] == [("PUT", f"/eatmachine/v2/{fridge(it)}/open")]


@pytest.mark.parametrize("kind", OTHERS)
async def test_there_is_no_request_for_another_order(it: Standing, kind: Capability) -> None:
    with pytest.raises(BadInput):
        await it.connector.prepare(MachineOrder(kind=kind, machine=fridge(it)))
    assert it.wire.asked == []


@pytest.mark.parametrize("native", ["", ".", ".."])
async def test_an_id_that_would_make_another_path_is_no_fridges(it: Standing, native: str) -> None:
    with pytest.raises(BadInput):
        await it.connector.prepare(MachineOrder(kind=Capability.REBOOT, machine=native))


async def test_an_id_stays_one_part_of_the_path(it: Standing) -> None:
    request = await it.connector.prepare(MachineOrder(kind=Capability.REBOOT, machine="../x/commands/open?a=ü"))
    assert it.connector.shown(request)[1] == "/fridges/..%2Fx%2Fcommands%2Fopen%3Fa%3D%C3%BC/commands/reboot"
    assert isinstance(await failure(it.connector, request), VendorRejected)
    assert done(it) == []


async def test_each_sending_is_a_command_of_its_own(it: Standing) -> None:
    request = await opening(it)
    natives = [(await it.connector.send(request)).vendor_id for _ in range(2)]
    assert natives == [command["uuid"] for command in done(it)]
    assert len(set(natives)) == 2


async def test_a_command_may_spend_what_queries_leave(it: Standing) -> None:
    limits = Limits(requests=10, per_seconds=3600)
    async with standing("eatmachine", login=False, vendor=it.vendor, limits=limits) as tight:
        request = await opening(tight)
        for _ in range(9):
            await tight.connector.sign_in()
        with pytest.raises(VendorRateLimited):
            await tight.connector.sign_in()
        await tight.connector.send(request)
        error = await failure(tight.connector, request)
        assert (type(error), error.sent, len(done(it))) == (VendorRateLimited, False, 1)


# ---- refusals


async def test_a_fridge_that_the_vendor_does_not_know_is_refused(it: Standing) -> None:
    request = await it.connector.prepare(MachineOrder(kind=Capability.OPEN_DOOR, machine=FRIDGE))
    error = await failure(it.connector, request)
    assert (type(error), error.message) == (VendorRejected, "eatmachine answered post-command with 404: Not found.")
    assert (len(it.wire.asked), done(it)) == (1, [])


async def test_the_vendor_names_the_fields_that_it_did_not_expect(it: Standing) -> None:
    request = await opening(it)
    error = await failure(it.connector, VendorRequest(operation="post-command", path=request.path, body={"foo": 1}))
    assert isinstance(error, VendorRejected)
    assert error.message == "eatmachine answered post-command with 400: Validation error. (foo)"
    assert (len(it.wire.asked), done(it)) == (1, [])


async def test_a_token_that_has_ended_is_renewed_and_the_command_is_one(logging_in: Standing) -> None:
    it = logging_in
    await it.connector.sign_in()
    forget_tokens(it)
    taken = await it.connector.send(await opening(it))
    path = COMMANDS.format(fridge(it), "open")
    assert [asked.path for asked in it.wire.asked[2:]] == [path, LOGIN, path]
    assert [command["uuid"] for command in done(it)] == [taken.vendor_id]


def forget_tokens(it: Standing) -> None:
    vendor = it.vendor
    assert isinstance(vendor, emulated.EatMachine)
    vendor._tokens.clear()


@pytest.mark.parametrize("status", [401, 403])
async def test_refused_credentials_open_no_door(status: int) -> None:
    vendor = emulated.EatMachine(SMALL)
    async with standing("eatmachine", vendor=vendor, credentials=secrets(api_key="revoked")) as it:

        async def refuse(_: Request) -> Response | None:
            return JSONResponse({"message": "Unauthorized."}, status)

        it.wire.instead = None if status == 401 else refuse
        error = await failure(it.connector, await opening(it))
        assert type(error) is (VendorUnauthorized if status == 401 else VendorForbidden)
        assert (len(it.wire.asked), done(it)) == (1, [])


async def test_a_token_that_stays_refused_is_renewed_once(logging_in: Standing) -> None:
    it = logging_in

    async def forget(_: Request) -> Response | None:
        forget_tokens(it)
        return None

    it.wire.instead = forget
    error = await failure(it.connector, await opening(it))
    path = COMMANDS.format(fridge(it), "open")
    assert type(error) is VendorUnauthorized
    assert [asked.path for asked in it.wire.asked] == [LOGIN, path, LOGIN, path]
    assert (done(it), it.connector.guard.status) == ([], AccountStatus.UNAUTHORIZED)


async def test_where_no_token_is_to_be_had_nothing_was_sent(logging_in: Standing) -> None:
    it = logging_in
    await it.connector.sign_in()
    forget_tokens(it)

    async def out_of_order(request: Request) -> Response | None:
        return JSONResponse({"message": "Try later."}, 500) if request.url.path == LOGIN else None

    it.wire.instead = out_of_order
    error = await failure(it.connector, await opening(it))
    assert (type(error), error.sent, done(it)) == (VendorUnavailable, False, [])


# ---- answers that are lost, or cannot be read


@pytest.fixture(scope="module")
def shared_sandbox() -> Iterator[Sandbox]:
    app = create_app(vendors=[emulated.EatMachine(World(scale=0.1, days=2))])
    with start(app) as server:
        yield Sandbox(server.base, app)


LOST = [
    (Fault("eatmachine", "status", status=400), VendorRejected, True, 0),
    (Fault("eatmachine", "status", status=409), VendorRejected, True, 0),
    (Fault("eatmachine", "status", status=429, headers={"retry-after": "17"}), VendorRateLimited, False, 0),
    (Fault("eatmachine", "status", status=408), VendorUnavailable, True, 0),
    (Fault("eatmachine", "status", status=500), VendorUnavailable, True, 0),
    (Fault("eatmachine", "status", status=503, headers={"retry-after": "1"}), VendorUnavailable, True, 0),
    (Fault("eatmachine", "redirect"), VendorProtocolError, True, 0),
    (Fault("eatmachine", "junk"), VendorProtocolError, True, 0),
    (Fault("eatmachine", "html"), VendorProtocolError, True, 0),
    (Fault("eatmachine", "empty"), VendorProtocolError, True, 0),
    (Fault("eatmachine", "deep"), VendorProtocolError, True, 0),
    (Fault("eatmachine", "huge"), VendorProtocolError, True, 0),
    (Fault("eatmachine", "reset"), VendorUnavailable, True, 0),
    (Fault("eatmachine", "hang_before"), VendorUnavailable, True, 0),
    (Fault("eatmachine", "truncate"), VendorProtocolError, True, 1),
    (Fault("eatmachine", "hang_after"), VendorUnavailable, True, 1),
    (Fault("eatmachine", "trickle"), VendorUnavailable, True, 1),
]
LASTING: frozenset[Kind] = frozenset({"hang_before", "hang_after", "trickle"})


def named(value: Any) -> str | None:
    return f"{value.kind}-{value.status}" if isinstance(value, Fault) else None


@pytest.mark.parametrize(("fault", "kind", "sent", "carried_out"), LOST, ids=named)
async def test_a_lost_answer_leaves_open_what_was_done_and_is_not_asked_for_again(
    sandbox: Sandbox, fault: Fault, kind: type[VendorError], *, sent: bool, carried_out: int
) -> None:
    vendor = sandbox.vendors["eatmachine"]
    before = len(vendor.truth()["commands"])
    sandbox.app.state.controls.faults.append(fault)
    limits = Limits(timeout_seconds=0.5 if fault.kind in LASTING else 5)
    known = account_of(BY_NAME["eatmachine"], vendor, login=False, base=sandbox.base, limits=limits)
    async with new_client() as client:
        connector = connect(known, client)
        request = await connector.prepare(
            MachineOrder(kind=Capability.OPEN_DOOR, machine=vendor.truth()["machines"][0]["uuid"])
        )
        with capture_logs() as logs:
            error = await failure(connector, request)
    assert (type(error), error.sent) == (kind, sent)
    assert connector.guard.requests == 1
    await until(lambda: len(vendor.truth()["commands"]) >= before + carried_out)  # it may still be at it
    assert len(vendor.truth()["commands"]) == before + carried_out
    assert emulated.API_KEY not in repr((logs, error, vars(error)))
    assert sandbox.base not in repr((logs, error.message))


async def test_where_nothing_listens_nothing_was_sent() -> None:
    with start(create_app(vendors=[emulated.EatMachine(SMALL)])) as server:
        base = server.base
    known = account_of(BY_NAME["eatmachine"], emulated.EatMachine(SMALL), login=False, base=base)
    async with new_client() as client:
        connector = connect(known, client)
        error = await failure(connector, await connector.prepare(MachineOrder(kind=Capability.REBOOT, machine=FRIDGE)))
    assert (type(error), error.sent) == (VendorUnavailable, False)


@pytest.mark.parametrize(
    "answer",
    [
        None,
        [],
        "ok",
        {},
        {"message": "Command created.", "data": None},
        {"data": []},
        {"data": "b1f0a7de"},
        {"data": {"status": None}},
        {"data": {"uuid": None}},
        {"data": {"uuid": ""}},
        {"data": {"uuid": {"value": "x"}}},
        {"data": {"uuid": "x" * 101}},
        {"uuid": "b1f0a7de"},
    ],
)
async def test_an_answer_that_does_not_name_the_command_cannot_be_followed(it: Standing, answer: Any) -> None:
    it.wire.rewrite = lambda _: answer
    error = await failure(it.connector, await opening(it))
    assert (type(error), error.sent, len(done(it))) == (VendorProtocolError, True, 1)
    assert (error.account, error.vendor) == (it.account.key, "eatmachine")


async def test_what_else_an_answer_holds_is_neither_needed_nor_shown(it: Standing) -> None:
    it.wire.rewrite = lambda _: {"data": {"uuid": 12345, "status": {"a": 1}, "createdAt": "x" * 999, "token": "canary"}}
    taken = await it.connector.send(await opening(it))
    assert (taken.vendor_id, taken.done) == ("12345", False)
    assert taken.result == {"uuid": "12345", "status": None, "createdAt": "x" * 100}


# ---- what reports mean

UNDER_WAY, SUCCEEDED = Progress(status=CommandStatus.ACKNOWLEDGED), Progress(status=CommandStatus.SUCCEEDED)
FAILED = Progress(status=CommandStatus.FAILED, note="the lock is stuck")


def staged(stage: CommandStage) -> Progress:
    last = stage is CommandStage.INVENTORIED
    return Progress(status=CommandStatus.SUCCEEDED if last else CommandStatus.ACKNOWLEDGED, stage=stage)


DOORS = ("unlocked", "opened", "closed")
WHAT_HAPPENS = ("ack", *DOORS, "inventory", "temperature", "shutdown", "boot")
NO_NEWS = ("video", "heartbeat", "screen-status", "door-status", "ajar", "success", "failed", "")
STATUSES = (None, "ack", "success", "unlocked", "opened", "closed", "inventory", "", "odd")
MEANT: dict[Capability, dict[str, Progress]] = {
    Capability.OPEN_DOOR: {
        "ack": UNDER_WAY,
        "unlocked": staged(CommandStage.UNLOCKED),
        "opened": staged(CommandStage.OPENED),
        "closed": staged(CommandStage.CLOSED),
        "inventory": staged(CommandStage.INVENTORIED),
    },
    Capability.SCAN_INVENTORY: {"ack": UNDER_WAY, "inventory": SUCCEEDED},
    Capability.MEASURE_TEMPERATURE: {"ack": UNDER_WAY, "temperature": SUCCEEDED},
    Capability.READ_DOOR: {"ack": UNDER_WAY, **dict.fromkeys(DOORS, SUCCEEDED)},
    Capability.REBOOT: {"ack": UNDER_WAY, "shutdown": UNDER_WAY, "boot": SUCCEEDED},
    Capability.RESTART_APP: {"ack": SUCCEEDED},
}


def fridges(*keys: str) -> EatMachine:
    """It asks nobody."""
    client = httpx2.AsyncClient(transport=httpx2.ASGITransport(Starlette()))
    return connect(account(Vendor.EATMACHINE, *keys), client)


PROGRESS = fridges().progress


def told(step: str, status: str | None, message: str | None = None) -> CommandWord:
    return CommandWord(command="c", machine=FRIDGE, word=status, step=step, message=message)


@pytest.mark.parametrize(("kind", "step"), list(product(ACTS, WHAT_HAPPENS)))
def test_what_happened_counts_and_not_the_status(kind: Capability, step: str) -> None:
    """Where the step is one of the command's. Of another step the status may still tell the end, but for an opening."""
    meant = {status: PROGRESS(kind, told(step, status)) for status in STATUSES}
    if step in MEANT[kind]:
        assert meant == dict.fromkeys(STATUSES, MEANT[kind][step])
    else:
        assert meant == dict.fromkeys(STATUSES) | {"success": None if kind is Capability.OPEN_DOOR else SUCCEEDED}


@pytest.mark.parametrize(("kind", "step"), list(product(ACTS, NO_NEWS)))
def test_a_step_that_says_nothing_leaves_the_end_to_the_status(kind: Capability, step: str) -> None:
    """But for an opening, which is called a success before its end, and for a video, which comes at any time."""
    meant = {status: PROGRESS(kind, told(step, status)) for status in STATUSES}
    ended = kind is not Capability.OPEN_DOOR and step != "video"
    assert meant == dict.fromkeys(STATUSES) | {"success": SUCCEEDED if ended else None}


@pytest.mark.parametrize(("kind", "step"), list(product(ACTS, (*WHAT_HAPPENS, *NO_NEWS))))
def test_a_failure_is_one_at_any_step(kind: Capability, step: str) -> None:
    assert PROGRESS(kind, told(step, "failed", "the lock is stuck")) == FAILED
    assert PROGRESS(kind, told(step, "failed")) == Progress(status=CommandStatus.FAILED)
    long = PROGRESS(kind, told(step, "failed", "x" * 999))
    assert long == Progress(status=CommandStatus.FAILED, note="x" * 100)


@pytest.mark.parametrize(("kind", "step", "status"), list(product(OTHERS, ("ack", "inventory"), ("success", "failed"))))
def test_no_word_is_of_an_order_that_the_vendor_does_not_take(kind: Capability, step: str, status: str) -> None:
    assert PROGRESS(kind, told(step, status)) is None


def word_of(body: bytes, machine: str = FRIDGE, connector: EatMachine | None = None) -> CommandWord | None:
    """What a report says of a command, as it comes to the fridge's address."""
    reader = connector or fridges(SECRET)
    _, native, token = reader.address(machine).split("/")
    came: Delivery = delivery(body, machine=native, token=token, at=NOW)
    words = [fact.content for fact in reader.facts(reader.verify(came), came) if isinstance(fact.content, CommandWord)]
    assert len(words) < 2
    return words[0] if words else None


def session(*statuses: str) -> list[CommandWord | None]:
    """The documents' typical session, with these statuses of its command."""
    door, ack, counted, filmed = (
        json.loads(sample(f"eatmachine/{name}")) for name in ("door-status", "ack", "inventory", "video")
    )
    reports = [ack, *(door | {"data": {"status": one}} for one in DOORS), counted, filmed]
    for report, status in zip(reports, statuses, strict=True):
        report["command"] = report["command"] | {"status": status, "type": {"name": "Open", "slug": "open"}}
    return [word_of(json.dumps(report).encode()) for report in reports]


@pytest.mark.parametrize(
    "statuses",
    [
        ("ack", "unlocked", "opened", "closed", "inventory", "inventory"),
        ("ack", "success", "success", "success", "success", "success"),
        ("ack", "ack", "ack", "ack", "ack", "ack"),
    ],
    ids=["as the session shows it", "as the types show it", "as if the status lagged behind"],
)
def test_an_opening_is_told_alike_in_each_spelling_of_the_samples(statuses: tuple[str, ...]) -> None:
    words = session(*statuses)
    meant = [PROGRESS(Capability.OPEN_DOOR, word) for word in words if word is not None]
    assert meant == [UNDER_WAY, *map(staged, CommandStage), None]


@pytest.mark.parametrize(
    ("name", "kind", "meaning"),
    [
        ("ack", Capability.MEASURE_TEMPERATURE, UNDER_WAY),
        ("temperature", Capability.MEASURE_TEMPERATURE, SUCCEEDED),
        ("inventory", Capability.OPEN_DOOR, staged(CommandStage.INVENTORIED)),
        ("door-status", Capability.OPEN_DOOR, staged(CommandStage.UNLOCKED)),
        ("video", Capability.REBOOT, None),
    ],
)
def test_the_samples_of_the_documents_mean_what_they_show(
    name: str, kind: Capability, meaning: Progress | None
) -> None:
    word = word_of(sample(f"eatmachine/{name}"))
    assert word is not None
    assert PROGRESS(kind, word) == meaning


def lived(it: Standing, native: str) -> list[CommandWord]:
    """Carries out the newest command, and reads what the fridge tells of it."""
    vendor = it.vendor
    assert isinstance(vendor, emulated.EatMachine)
    since = len(vendor.fleet.reports)
    run(vendor.fleet.carry_out(vendor.fleet.commands[-1]))
    reports = vendor.fleet.reports[since:]
    words = [word_of(json.dumps(report).encode(), native, it.connector) for report in reports]
    return [word for word in words if word is not None]


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (Capability.OPEN_DOOR, [UNDER_WAY, *map(staged, CommandStage), None]),
        (Capability.SCAN_INVENTORY, [UNDER_WAY, SUCCEEDED]),
        (Capability.MEASURE_TEMPERATURE, [UNDER_WAY, SUCCEEDED]),
        (Capability.READ_DOOR, [UNDER_WAY, SUCCEEDED]),
        (Capability.REBOOT, [UNDER_WAY, UNDER_WAY, SUCCEEDED]),
        (Capability.RESTART_APP, [SUCCEEDED]),
    ],
)
async def test_a_fridges_reports_are_of_the_command_that_was_answered(
    it: Standing, kind: Capability, told: list[Progress | None]
) -> None:
    native = fridge(it)
    taken = await it.connector.send(await it.connector.prepare(MachineOrder(kind=kind, machine=native)))
    words = lived(it, native)
    assert {(word.command, word.machine) for word in words} == {(taken.vendor_id, native)}
    assert [it.connector.progress(kind, word) for word in words] == told


@pytest.mark.parametrize("kind", list(ACTS))
async def test_a_fridge_that_could_not_says_so(it: Standing, kind: Capability) -> None:
    native = fridge(it)
    it.vendor.make_events(1, machine=native, kind="failure")
    await it.connector.send(await it.connector.prepare(MachineOrder(kind=kind, machine=native)))
    meant = [it.connector.progress(kind, word) for word in lived(it, native)]
    assert meant == [Progress(status=CommandStatus.FAILED, note=FAILURE)]
