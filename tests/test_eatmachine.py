"""EatMachine's connector: fridges that are known beforehand, and an account that can be signed in at in two ways."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount
from structlog.testing import capture_logs

from connectors.base import Account, KnownMachine, Secret
from connectors.eatmachine import EatMachine, connect
from connectors.reading import (
    ReadsEvents,
    ReadsMachines,
    ReadsOrganizations,
    ReadsPlaces,
    ReadsProducts,
    ReadsSales,
    ReadsSlots,
)
from domain.capabilities import Capability, UnavailableReason
from domain.errors import (
    VendorError,
    VendorProtocolError,
    VendorRateLimited,
    VendorRejected,
    VendorUnauthorized,
    VendorUnavailable,
)
from domain.model import AccountStatus, Connectivity, DoorState, Machine, MachineKind
from domain.refs import Kind
from domain.times import utc_now
from sandbox import eatmachine as emulated
from sandbox.world import World
from tests.connected import Answering, Asked, account_of, fixture, over

LOGIN, ME = "/eatmachine/auth/login", "/eatmachine/auth/me"
CANARY = "canary-4f9d"
PASSWORD = {"username": Secret("restaurateur@example.com"), "password": Secret(CANARY)}
FRIDGE = "5699613c-0e96-470c-ba56-e520343ebc63"


@pytest.fixture(scope="module")
def vendor() -> emulated.EatMachine:
    return emulated.EatMachine(World(scale=0.2))


@pytest.fixture
async def eatmachine(vendor: emulated.EatMachine) -> AsyncIterator[EatMachine]:
    client = over(Starlette(routes=[Mount("/eatmachine", routes=vendor.routes())]))
    yield connect(account(vendor), client)
    await client.aclose()


def account(vendor: emulated.EatMachine, **changed: Any) -> Account:
    known = [KnownMachine(id=row["id"], name=row["name"]) for row in vendor.account("")["machines"]]
    return account_of(vendor, **({"machines": known} | changed))


def written(answers: Mapping[str, Any], **changed: Any) -> tuple[EatMachine, Answering]:
    """Over written answers; the credentials are a password unless told otherwise."""
    told = Answering(answers)
    here = account_of(emulated.EatMachine(World(scale=0.05)), **({"credentials": PASSWORD} | changed))
    return connect(here, told.client), told


async def failure(connector: EatMachine) -> VendorError:
    with pytest.raises(VendorError) as caught:
        await connector.sign_in()
    return caught.value


# ---- fridges


async def test_the_fridges_are_those_of_the_configuration(eatmachine: EatMachine, vendor: emulated.EatMachine) -> None:
    listing = await eatmachine.machines()
    assert listing.complete
    assert [(machine.vendor_id, machine.ref.native, machine.name) for machine in listing.items] == [
        (row["uuid"], row["uuid"], row["name"]) for row in vendor.truth()["machines"]
    ]
    assert len(listing.items) == 4
    assert {machine.kind for machine in listing.items} == {MachineKind.FRIDGE}


async def test_no_request_is_made_for_a_list_that_the_vendor_has_not() -> None:
    connector, told = written({}, machines=[KnownMachine(id=FRIDGE, name="Lobby fridge")])
    machine = (await connector.machines()).items[0]
    assert (machine.name, machine.ref) == ("Lobby fridge", connector.account.to(Kind.MACHINE, FRIDGE))
    assert told.asked == []
    assert connector.guard.status is AccountStatus.UNKNOWN


async def test_an_account_without_fridges_has_none() -> None:
    connector, _ = written({})
    assert list((await connector.machines()).items) == []


async def test_what_nobody_told_of_a_fridge_is_null_with_a_reason(eatmachine: EatMachine) -> None:
    before = utc_now()
    machine = (await eatmachine.machines()).items[0]
    assert untold(machine) == {None}
    assert (machine.connectivity, machine.door) == (Connectivity.UNKNOWN, DoorState.UNKNOWN)
    unsupported, never = UnavailableReason.UNSUPPORTED_BY_VENDOR, UnavailableReason.NEVER_REPORTED
    assert {one.field: one.reason for one in machine.unavailable} == dict.fromkeys(
        ("serialNumber", "model", "location"), unsupported
    ) | dict.fromkeys(("group", "connectivity", "lastSeenAt", "door", "temperature", "slots"), never)
    assert machine.observed_at <= before
    assert machine.observed_at.utcoffset() is not None


def untold(machine: Machine) -> set[object]:
    return {
        machine.serial_number,
        machine.model,
        machine.group,
        machine.location,
        machine.last_seen_at,
        machine.temperature,
        machine.organization_ref,
        machine.place_ref,
        machine.vendor_data,
    }


async def test_a_fridge_stays_the_same_from_list_to_list(eatmachine: EatMachine) -> None:
    assert (await eatmachine.machines()).items == (await eatmachine.machines()).items


async def test_what_it_reports_cannot_be_read(eatmachine: EatMachine) -> None:
    assert Capability.WEBHOOKS in eatmachine.capabilities
    assert not any(eatmachine.refusal(capability) for capability in Capability)
    reads = (
        ReadsOrganizations,
        ReadsPlaces,
        ReadsProducts,
        ReadsSlots,
        ReadsSales,
    )
    assert isinstance(eatmachine, ReadsMachines)
    assert not isinstance(eatmachine, reads)
    assert not isinstance(eatmachine, ReadsEvents)
    await eatmachine.aclose()


# ---- the two ways to sign in


async def test_an_api_key_is_sent_as_it_is_and_nobody_logs_in() -> None:
    connector, told = written({ME: fixture("eatmachine/me")}, credentials={"api_key": Secret(CANARY)})
    await connector.sign_in()
    assert [(asked.method, asked.path, asked.headers["authorization"]) for asked in told.asked] == [
        ("GET", ME, f"Bearer {CANARY}")
    ]
    assert connector.guard.status is AccountStatus.OK


async def test_a_password_buys_a_token_that_is_used_the_same_way_and_kept() -> None:
    connector, told = written({LOGIN: fixture("eatmachine/login"), ME: fixture("eatmachine/me")})
    await connector.sign_in()
    await connector.sign_in()
    assert [asked.path for asked in told.asked] == [LOGIN, ME, ME]
    login, me = told.asked[:2]
    assert (login.method, login.body) == ("POST", {"username": "restaurateur@example.com", "password": CANARY})
    assert "authorization" not in login.headers
    assert me.headers["authorization"] == "Bearer SHORT_LIVED_API_KEY"


async def test_both_ways_lead_in_at_the_sandbox(vendor: emulated.EatMachine) -> None:
    client = over(Starlette(routes=[Mount("/eatmachine", routes=vendor.routes())]))
    password = {name: Secret(value) for name, value in emulated.CREDENTIALS.items()}
    for credentials in ({"api_key": Secret(emulated.API_KEY)}, password):
        await connect(account(vendor, credentials=credentials), client).sign_in()
    for credentials in ({"api_key": Secret("other")}, password | {"password": Secret("guess")}):
        connector = connect(account(vendor, credentials=credentials), client)
        assert isinstance(await failure(connector), VendorUnauthorized)
        assert connector.guard.status is AccountStatus.UNAUTHORIZED


async def test_a_token_that_has_ended_is_renewed_once() -> None:
    tokens = iter(("first", "second"))
    good = {"first"}

    def me(asked: Asked) -> Any:
        fine = asked.headers["authorization"].removeprefix("Bearer ") in good
        return fixture("eatmachine/me") if fine else JSONResponse({"message": "Unauthorized."}, 401)

    connector, told = written({LOGIN: lambda _: {"token": next(tokens)}, ME: me})
    await connector.sign_in()
    good.clear()
    good.add("second")
    await connector.sign_in()
    assert [asked.path for asked in told.asked] == [LOGIN, ME, ME, LOGIN, ME]


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_password_leaves_the_account_alone(status: int) -> None:
    connector, told = written({LOGIN: JSONResponse({"message": "Invalid credentials."}, status)})
    error = await failure(connector)
    assert type(error) is VendorUnauthorized
    assert error.message == f"eatmachine answered login with {status}: Invalid credentials."
    assert isinstance(await failure(connector), VendorUnauthorized)
    assert (len(told.asked), connector.guard.status) == (1, AccountStatus.UNAUTHORIZED)


@pytest.mark.parametrize("answer", [{}, {"token": None}, {"token": ""}, [], "token", {"token": {"value": "x"}}])
async def test_a_login_without_a_token_is_none(answer: Any) -> None:
    connector, _ = written({LOGIN: JSONResponse(answer)})
    assert isinstance(await failure(connector), VendorProtocolError)


async def test_a_token_may_be_a_number() -> None:
    connector, told = written({LOGIN: {"token": 12345, "expires": "soon"}, ME: {}})
    await connector.sign_in()
    assert told.asked[-1].headers["authorization"] == "Bearer 12345"


# ---- what it says when it says no


async def test_fields_that_are_at_fault_are_named() -> None:
    connector, _ = written({LOGIN: JSONResponse(fixture("eatmachine/validation-error"), 400)})
    error = await failure(connector)
    assert isinstance(error, VendorRejected)
    assert error.message == "eatmachine answered login with 400: Validation error. (fleet_id, foo)"


async def test_what_is_said_of_a_field_is_not_repeated() -> None:
    body = {"message": "Validation error.", "data": {"password": [f"The value {CANARY} is not valid."]}}
    connector, _ = written({LOGIN: JSONResponse(body, 400)})
    with capture_logs() as logs:
        error = await failure(connector)
    assert CANARY not in repr((logs, error, vars(error), connector.account, connector.guard.last_error))


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (JSONResponse({"message": "Not found.", "data": None}, 404), VendorRejected, ": Not found."),
        (JSONResponse({"message": "Conflict.", "data": []}, 409), VendorRejected, ": Conflict."),
        (JSONResponse(["no"], 404), VendorRejected, ""),
        (JSONResponse({"message": None, "data": {}}, 500), VendorUnavailable, ""),
        (Response("<h1>Bad gateway</h1>", 502, media_type="text/html"), VendorUnavailable, ""),
        (JSONResponse({"message": "Slow down."}, 429), VendorRateLimited, ": Slow down."),
    ],
)
async def test_other_refusals_are_told_as_far_as_they_can_be_read(
    answer: Response, kind: type[VendorError], words: str
) -> None:
    connector, _ = written({ME: answer}, credentials={"api_key": Secret(CANARY)})
    error = await failure(connector)
    assert type(error) is kind
    assert error.message == f"eatmachine answered who-am-i with {answer.status_code}{words}"


async def test_without_an_address_of_its_own_an_account_is_in_production() -> None:
    hosts: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        hosts.append(dict(scope["headers"])[b"host"].decode() + scope["path"])
        await JSONResponse(fixture("eatmachine/me"))(scope, receive, send)

    vendor = emulated.EatMachine(World(scale=0.05))
    await connect(account(vendor, base_url=None), over(app)).sign_in()
    assert hosts == ["api.eatmachine.io/auth/me"]
