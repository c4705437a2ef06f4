"""Livello's users: what is read, what reaches the vendor, what is refused, and what is read back."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from structlog.testing import capture_logs

from connectors.acting import TakesOrders
from connectors.reading import ReadsPeople, ReadsStructure
from domain.capabilities import Capability, UnavailableReason
from domain.errors import BadInput, NotFound, VendorConflict, VendorForbidden, VendorProtocolError
from domain.orders import Order
from domain.people import PersonAddress, PersonRole, PersonStatus
from domain.people_orders import CreatePerson, DeletePerson, PersonDetails, UpdatePerson
from domain.refs import Kind, Ref
from sandbox.livello import SCOPES, Livello
from tests.ordering import STRUCK, Struck, failure, ordering
from tests.vendors import TINY, Standing, standing

BASE = "/livello/api/v1"
ACTIVE = PersonStatus.ACTIVE
CANARY = "canary-zander"
ROLES = {
    "consumer": PersonRole.CONSUMER,
    "operator": PersonRole.OPERATOR,
    "admin": PersonRole.ADMIN,
    "superadmin": PersonRole.SUPERADMIN,
    "auditor": PersonRole.UNKNOWN,
}
NEEDED: Mapping[str, Any] = {
    "email": "zoe@customers.example",
    "first_name": "Zoe",
    "last_name": "Zander",
    "status": ACTIVE,
    "language": "de",
    "organization": "2",
}
ZOE = CreatePerson(details=PersonDetails(**NEEDED))
Row = dict[str, Any]


def emulated(**how: Any) -> Livello:
    return Livello(TINY, hourly=10**6, logins=10**6, **how)


@asynccontextmanager
async def stage(vendor: Livello | None = None, **changed: Any) -> AsyncIterator[Standing]:
    async with standing("livello", vendor=vendor or emulated(), **changed) as it:
        yield it


def users(it: Any) -> list[Row]:
    found: list[Row] = it.vendor.truth()["users"]
    return found


def asked(it: Standing) -> list[str]:
    return [f"{one.method} {one.path.removeprefix(BASE)}" for one in it.wire.asked if "token" not in one.path]


# ---- what is read -------------------------------------------------------------------------------------------------


async def test_every_user_is_a_person() -> None:
    async with stage() as it:
        found = await it.connector.people()
        rows = {str(row["id"]): row for row in users(it)}
        assert found.complete
        assert {one.vendor_id for one in found.items} == rows.keys()
        for one in found.items:
            row = rows[one.vendor_id]
            (membership,) = row["rolesInOrganizations"]
            assert one.ref == Ref(Kind.PERSON, "acme-kiosks", one.vendor_id)
            assert one.name == f"{row['firstName']} {row['lastName']}"
            assert (one.first_name, one.last_name, one.email) == (row["firstName"], row["lastName"], row["email"])
            assert (one.language, one.status.value) == (row["lang"], row["status"])
            assert list(one.membercards or ()) == row["membercards"]
            assert one.roles == (ROLES[membership["role"]],)
            assert one.organization_ref == Ref(Kind.ORGANIZATION, "acme-kiosks", str(membership["organizationId"]))
            reasons = {absent.field: absent.reason for absent in one.unavailable}
            assert reasons["identification"] is UnavailableReason.UNSUPPORTED_BY_VENDOR
            assert reasons["mobile"] is UnavailableReason.NEVER_REPORTED
        assert isinstance(it.connector, ReadsPeople)
        assert isinstance(it.connector, TakesOrders)
        assert not isinstance(it.connector, ReadsStructure)


async def test_one_user_is_read_alone() -> None:
    async with stage() as it:
        one = (await it.connector.people()).items[0]
        assert await it.connector.person(one.ref.native) == one
        for native in ("0", "..", ""):
            assert await it.connector.person(native) is None


@pytest.mark.parametrize(
    ("raw", "roles", "organization"),
    [
        ({"rolesInOrganizations": [{"organization": {"id": 7}, "role": "Admin"}]}, (PersonRole.ADMIN,), "7"),
        ({"rolesInOrganizations": [{"role": "consumer"}, {"role": "consumer"}]}, (PersonRole.CONSUMER,), None),
        ({"role": "operator", "organizationId": "8"}, (PersonRole.OPERATOR,), "8"),
        ({"rolesInOrganizations": [{}, "x", None]}, (), None),
        ({"rolesInOrganizations": {"a": 1}}, (), None),
        ({"rolesInOrganizations": None, "membercards": "x", "address": [], "status": 1}, (), None),
        ({}, (), None),
    ],
)
async def test_what_the_documents_lost_is_read_in_several_forms(
    raw: Row, roles: tuple[PersonRole, ...], organization: str | None
) -> None:
    async with stage() as it:

        async def instead(request: Request) -> Response | None:
            return JSONResponse({"id": 5, **raw}) if "/users/" in request.url.path else None

        it.wire.instead = instead
        found = await it.connector.person("5")
        assert found is not None
        assert found.roles == roles
        assert (found.organization_ref and found.organization_ref.native) == organization
        assert (found.name, found.status, found.membercards) == (None, PersonStatus.UNKNOWN, None)


@pytest.mark.parametrize("scope", ["users:read", "users:write"])
async def test_what_the_scope_does_not_cover_is_not_permitted_and_costs_nothing(scope: str) -> None:
    vendor = emulated(scopes=" ".join(one for one in SCOPES.split() if one != scope))
    async with stage(vendor) as it:
        error = await failure(it.connector.prepare(ZOE))
        assert (type(error), error.sent, scope in error.message) == (VendorForbidden, False, True)
        assert it.connector.refusal(Capability.CREATE_PERSON) is UnavailableReason.NOT_PERMITTED
        assert asked(it) == []


# ---- what reaches the vendor --------------------------------------------------------------------------------------


async def test_a_customer_is_looked_for_by_name_and_then_made_once() -> None:
    full = PersonDetails(
        **NEEDED,
        mobile="+49 1",
        note="Likes tea",
        avatar_url="https://customers.example/zoe",
        membercards=("MC-1", "MC-2"),
        address=PersonAddress(address="Street 1", city="Berlin", postal_code="10117", country="Germany"),
    )
    order = CreatePerson(details=full)
    async with stage() as it:
        taken = await it.connector.send(await it.connector.prepare(order))
        look, sent = it.wire.asked[1:]
        assert (look.method, look.path) == ("GET", f"{BASE}/users")
        assert look.query == "sort=1&sortBy=firstName&name=Zander&skip=0&limit=100"
        assert (sent.method, sent.path, sent.query) == ("POST", f"{BASE}/users", "")
        assert orjson.loads(sent.body) == {
            "email": "zoe@customers.example",
            "firstName": "Zoe",
            "lastName": "Zander",
            "status": "ACTIVE",
            "lang": "de",
            "organizationId": 2,
            "mobile": "+49 1",
            "note": "Likes tea",
            "avatarUrl": "https://customers.example/zoe",
            "membercards": ["MC-1", "MC-2"],
            "address": {"address": "Street 1", "city": "Berlin", "postalCode": "10117", "country": "Germany"},
        }
        made = users(it)[-1]
        assert made["rolesInOrganizations"][0]["role"] == "consumer"
        assert (taken.done, taken.result) == (True, {"id": str(made["id"])})
        assert taken.subject == Ref(Kind.PERSON, "acme-kiosks", str(made["id"]))
        assert await it.connector.fulfilled(order) == taken.subject


async def test_a_change_sends_what_changes_and_no_more() -> None:
    order = UpdatePerson(person="3", details=PersonDetails(first_name="Zoe", status=PersonStatus.INACTIVE))
    async with stage() as it:
        before = dict(users(it)[2])
        assert await it.connector.fulfilled(order) is False
        taken = await it.connector.send(await it.connector.prepare(order))
        sent = it.wire.asked[-1]
        assert (sent.method, sent.path) == ("PATCH", f"{BASE}/users/3")
        assert orjson.loads(sent.body) == {"firstName": "Zoe", "status": "INACTIVE"}
        assert "if-match" not in sent.headers
        after = users(it)[2]
        assert after == before | {"firstName": "Zoe", "status": "INACTIVE", "updated": after["updated"]}
        assert (taken.done, taken.result) == (True, {"id": "3"})
        assert await it.connector.fulfilled(order) == taken.subject == Ref(Kind.PERSON, "acme-kiosks", "3")


async def test_what_would_be_sent_can_be_seen_without_sending_it() -> None:
    async with stage(endpoints={"update-user": "PUT /people/{id}"}) as it:
        request = await it.connector.prepare(UpdatePerson(person="3", details=PersonDetails(note="n")))
        assert it.connector.shown(request) == ("PUT", "/people/3", {"note": "n"})
        assert asked(it) == ["GET /users/3"]


# ---- what is refused ----------------------------------------------------------------------------------------------


def changed(**details: Any) -> Order:
    return UpdatePerson(person="3", details=PersonDetails(**details))


REFUSED: Mapping[str, tuple[Order, tuple[str, ...]]] = {
    **{
        f"without {name}": (
            CreatePerson(details=PersonDetails(**{one: value for one, value in NEEDED.items() if one != name})),
            ("input", "details", field),
        )
        for name, field in (
            ("email", "email"),
            ("first_name", "firstName"),
            ("last_name", "lastName"),
            ("status", "status"),
            ("language", "language"),
            ("organization", "organizationId"),
        )
    },
    "another language": (changed(language="pt"), ("input", "details", "language")),
    "another organization": (changed(organization="3"), ("input", "details", "organizationId")),
    "no organization": (
        CreatePerson(details=PersonDetails(**{**NEEDED, "organization": "north"})),
        ("input", "details", "organizationId"),
    ),
    "no status": (changed(status=PersonStatus.UNKNOWN), ("input", "details", "status")),
    "nothing": (changed(), ("input", "details")),
    **{
        f"no {name}": (changed(**{name: "x"}), ("input", "details", field))
        for name, field in (
            ("name", "name"),
            ("identification", "identification"),
            ("sector", "sectorId"),
            ("group", "groupId"),
        )
    },
}


@pytest.mark.parametrize("why", REFUSED)
async def test_what_can_never_be_is_refused_without_a_request(why: str) -> None:
    order, place = REFUSED[why]
    async with stage() as it:
        with pytest.raises(BadInput) as caught:
            it.connector.check(order)
        assert caught.value.field == place
        with pytest.raises(BadInput):
            await it.connector.prepare(order)
        assert await it.connector.fulfilled(order) is None
        assert it.wire.asked == []


async def test_nobody_can_be_deleted() -> None:
    async with stage() as it:
        assert Capability.DELETE_PERSON not in it.connector.capabilities
        with pytest.raises(BadInput):
            await it.connector.prepare(DeletePerson(person="3"))
        assert it.wire.asked == []


async def test_who_is_gone_cannot_be_changed() -> None:
    async with stage() as it:
        order = UpdatePerson(person="999", details=PersonDetails(note="n"))
        with pytest.raises(NotFound):
            await it.connector.prepare(order)
        assert await it.connector.fulfilled(order) is None


async def test_who_has_the_mail_already_is_told_before_anything_is_sent() -> None:
    async with stage() as it:
        row = users(it)[4]
        details = PersonDetails(**{**NEEDED, "email": row["email"].upper(), "last_name": row["lastName"]})
        error = await failure(it.connector.prepare(CreatePerson(details=details)))
        assert isinstance(error, VendorConflict)
        assert (error.sent, error.current) == (False, None)
        assert error.subject == Ref(Kind.PERSON, "acme-kiosks", str(row["id"]))
        assert row["email"] not in error.message
        assert asked(it) == ["GET /users"]


# ---- what is not told, and what becomes of it ---------------------------------------------------------------------


@pytest.mark.parametrize("status", [400, 403, 404, 422, 429, 500])
async def test_what_the_vendor_repeats_of_a_person_is_neither_in_errors_nor_in_logs(status: int) -> None:
    async with stage() as it:
        request = await it.connector.prepare(ZOE)

        async def instead(_: Request) -> Response | None:
            return JSONResponse({"title": CANARY, "detail": CANARY}, status)

        it.wire.instead = instead
        with capture_logs() as logs:
            errors = [await failure(it.connector.send(request)), await failure(it.connector.people())]
        assert CANARY not in repr([(error, error.message) for error in errors])
        assert CANARY not in repr(logs)
        assert CANARY not in str(it.connector.guard.last_error)


@pytest.mark.parametrize("struck", STRUCK, ids=str)
async def test_each_way_of_failing_says_whether_it_may_have_been_done(struck: Struck) -> None:
    async with ordering("livello") as it:
        error = await it.struck(ZOE, struck, "/users")
        assert (type(error), error.sent) == (struck.error, struck.sent)
        assert sum(row["lastName"] == "Zander" for row in users(it)) == struck.done
        it.sandbox.heal()
        if struck.status != 401:  # who refuses the credentials is not asked again for a while
            found = await it.connector.fulfilled(ZOE)
            assert found == (Ref(Kind.PERSON, "acme-kiosks", str(users(it)[-1]["id"])) if struck.done else False)
    posts = [asked for asked in it.sandbox.requests() if asked == f"POST {BASE}/users"]
    assert len(posts) == struck.tries


@pytest.mark.parametrize(
    "answer",
    [JSONResponse({}), JSONResponse([]), JSONResponse(None), Response(status_code=201), Response(status_code=204)],
)
async def test_an_answer_that_does_not_show_who_was_made_leaves_it_open(answer: Response) -> None:
    async with stage() as it:
        request = await it.connector.prepare(ZOE)

        async def instead(request: Request) -> Response | None:
            return answer if request.method == "POST" else None

        it.wire.instead = instead
        error = await failure(it.connector.send(request))
        assert (type(error), error.sent) == (VendorProtocolError, True)


async def test_who_has_the_mail_but_is_another_was_not_made_by_us() -> None:
    async with stage() as it:
        await it.connector.send(await it.connector.prepare(ZOE))
        other = CreatePerson(details=PersonDetails(**{**NEEDED, "first_name": "Anna"}))
        assert await it.connector.fulfilled(other) is False


async def test_what_is_not_shown_proves_nothing_of_a_change() -> None:
    order = UpdatePerson(person="3", details=PersonDetails(address=PersonAddress(city="Berlin")))
    async with stage() as it:
        it.wire.rewrite = lambda data: {name: value for name, value in data.items() if name != "address"}
        assert await it.connector.fulfilled(order) is None
