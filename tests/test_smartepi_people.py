"""SmartEPI's people and structure: what is read, what reaches the vendor, what stands against it, what is read back."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qsl

import orjson
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from structlog.testing import capture_logs

from connectors.acting import ReadsBack, TakesOrders
from connectors.reading import ReadsPeople, ReadsStructure
from domain.capabilities import Capability, UnavailableReason
from domain.errors import (
    BadInput,
    NotFound,
    VendorConflict,
    VendorProtocolError,
    VendorRejected,
    VendorUnavailable,
)
from domain.orders import MachineOrder, Order
from domain.people import PersonAddress, PersonRole, PersonStatus, UnitKind
from domain.people_orders import (
    PEOPLE_ORDERS,
    CreateGroup,
    CreatePerson,
    CreateUnit,
    DeleteGroup,
    DeletePerson,
    DeleteUnit,
    OrderedRule,
    PersonDetails,
    UpdateGroup,
    UpdatePerson,
    UpdateUnit,
)
from domain.refs import Kind, Ref
from sandbox.smartepi import SmartEPI
from sandbox.smartepi_records import ENTITIES
from tests.ordering import STRUCK, Struck, but, failure, ordering
from tests.vendors import TINY, Standing, standing

ROOT = "/smartepi/v1"
PATHS = {
    UnitKind.SECTOR: "sectors",
    UnitKind.COST_CENTER: "cost-centers",
    UnitKind.JOB_ROLE: "job-roles",
    UnitKind.ACCESS_GROUP: "access-groups",
}
ZOE = CreatePerson(details=PersonDetails(name="Zoe Zander", identification="990001"))
CANARY = "canary-zander"
Row = dict[str, Any]


def emulated() -> SmartEPI:
    return SmartEPI(TINY, requests=10**6, per_seconds=1)


@asynccontextmanager
async def stage(vendor: Any = None, **changed: Any) -> AsyncIterator[Standing]:
    async with standing("smartepi", vendor=vendor or emulated(), **changed) as it:
        yield it


def truth(it: Any, path: str) -> list[Row]:
    found: list[Row] = it.vendor.truth()[path]
    return found


def asked(it: Standing) -> list[str]:
    return [f"{one.method} {one.path.removeprefix(ROOT)}" for one in it.wire.asked]


def version(it: Any, path: str, native: str) -> int:
    found: int = it.vendor._store.find(path, native).version
    return found


def change_behind(it: Any, path: str, native: str, **members: Any) -> None:
    """Somebody else is faster."""
    item = it.vendor._store.find(path, native)
    item.record |= members
    item.version += 1


def idle(it: Any, path: str) -> str:
    """A record of this path that nobody belongs to."""
    made: Row = it.vendor._changes.create(next(one for one in ENTITIES if one.path == path), {"name": "Idle"}, 0).record
    return str(made["id"])


# ---- what is read -------------------------------------------------------------------------------------------------


async def test_the_roles_are_played() -> None:
    async with stage() as it:
        roles = (ReadsPeople, ReadsStructure, TakesOrders, ReadsBack)
        assert all(isinstance(it.connector, role) for role in roles)
        assert PEOPLE_ORDERS.keys() <= it.connector.capabilities


async def test_every_employee_is_a_person() -> None:
    async with stage() as it:
        found = await it.connector.people()
        rows = {row["id"]: row for row in truth(it, "employees")}
        assert found.complete
        assert {one.vendor_id for one in found.items} == rows.keys()
        for one in found.items:
            row = rows[one.vendor_id]
            told = (one.name, one.email, one.identification, one.vendor_data)
            assert told == (row["name"], row["email"], row["identification"], row)
            assert one.ref == Ref(Kind.PERSON, "acme-safety", row["id"])
            assert one.roles == (PersonRole.EMPLOYEE,)
            expected = row["status"] if row["status"] in ("ACTIVE", "INACTIVE") else "UNKNOWN"
            assert one.status.value == expected
            assert one.sector_ref == Ref(Kind.UNIT, "acme-safety", f"SECTOR/{row['sectorId']}")
            assert one.job_role_ref == Ref(Kind.UNIT, "acme-safety", f"JOB_ROLE/{row['jobRoleId']}")
            assert one.group_ref == Ref(Kind.GROUP, "acme-safety", row["groupId"])
            second = row["costCenter2Id"]
            assert one.second_cost_center_ref == (second and Ref(Kind.UNIT, "acme-safety", f"COST_CENTER/{second}"))
            reasons = {absent.field: absent.reason for absent in one.unavailable}
            never = {name for name in ("email", "identification") if row[name] is None}
            assert {field for field, reason in reasons.items() if reason is UnavailableReason.NEVER_REPORTED} == never
            assert reasons["mobile"] is UnavailableReason.UNSUPPORTED_BY_VENDOR


async def test_units_of_all_kinds_and_groups_with_their_rules_are_read() -> None:
    async with stage() as it:
        units, groups = await it.connector.units(), await it.connector.groups()
        assert units.complete
        assert groups.complete
        rows = [(kind, row) for kind, path in PATHS.items() for row in truth(it, path)]
        assert {(one.kind, one.vendor_id, one.name, one.code) for one in units.items} == {
            (kind, row["id"], row["name"], row.get("code")) for kind, row in rows
        }
        known = {row["id"]: row for row in truth(it, "groups")}
        assert {one.vendor_id for one in groups.items} == known.keys()
        for one in groups.items:
            told = [
                (rule.product_ref.native, rule.quantity, rule.period_days) for rule in one.rules if rule.product_ref
            ]
            rules = known[one.vendor_id]["rules"]
            assert told == [(rule["productId"], rule["quantity"], rule["periodDays"]) for rule in rules]


async def test_one_of_each_is_read_alone() -> None:
    async with stage() as it:
        connector = it.connector
        person, unit, group = (
            (await connector.people()).items[0],
            (await connector.units()).items[0],
            (await connector.groups()).items[0],
        )
        assert await connector.person(person.ref.native) == person
        assert await connector.unit(unit.ref.native) == unit
        assert await connector.group(group.ref.native) == group
        for native in ("emp-0", "..", ""):
            assert await connector.person(native) is None
        for native in ("SECTOR/sec-0", "SECTOR/", "SECTOR", "FLOOR/sec-1", "", "/"):
            assert await connector.unit(native) is None
        assert await connector.group("grp-0") is None


async def test_a_kind_of_units_that_may_not_be_read_leaves_the_others() -> None:
    async with stage() as it:

        async def instead(request: Request) -> Response | None:
            return JSONResponse({}, 405) if request.url.path.endswith("/access-groups") else None

        it.wire.instead = instead
        found = await it.connector.units()
        assert not found.complete
        assert {one.kind for one in found.items} == set(UnitKind) - {UnitKind.ACCESS_GROUP}

        async def nothing(_: Request) -> Response | None:
            return JSONResponse({}, 405)

        it.wire.instead = nothing
        assert type(await failure(it.connector.units())) is VendorRejected


async def test_a_vendor_that_is_down_is_no_kind_that_may_not_be_read() -> None:
    async with stage() as it:

        async def instead(request: Request) -> Response | None:
            return JSONResponse({}, 500) if request.url.path.endswith("/job-roles") else None

        it.wire.instead = instead
        assert type(await failure(it.connector.units())) is VendorUnavailable


async def test_one_record_that_cannot_be_read_costs_the_others_nothing() -> None:
    async with stage() as it:

        def rewrite(data: Any) -> Any:
            rows = data["data"]
            if isinstance(rows, list) and rows and "rules" in rows[0]:
                rows[0] = {**rows[0], "rules": [{"productId": "prd-1", "quantity": "many"}]}
            return data

        it.wire.rewrite = rewrite
        found = await it.connector.groups()
        assert (found.complete, len(found.items)) == (False, len(truth(it, "groups")) - 1)


async def test_no_list_is_ever_asked_for_by_two_relationships_or_by_a_time() -> None:
    async with stage() as it:
        await it.connector.people()
        await it.connector.send(await it.connector.prepare(ZOE))
        await it.connector.fulfilled(ZOE)
        names = [{name for name, _ in parse_qsl(one.query)} for one in it.wire.asked]
        assert all(query <= {"limit", "cursor", "name", "identification"} for query in names)


# ---- what reaches the vendor --------------------------------------------------------------------------------------

FULL = PersonDetails(
    name="Zoe Zander",
    email="zoe@plant.example",
    identification="990001",
    status=PersonStatus.INACTIVE,
    sector="SECTOR/sec-1",
    cost_center="COST_CENTER/cc-1",
    second_cost_center="COST_CENTER/cc-2",
    job_role="JOB_ROLE/job-1",
    group="grp-1",
)
RULES = [OrderedRule(product="prd-1", quantity=2, period_days=30)]
CREATED: Mapping[str, tuple[Order, str, str, Row]] = {
    "person": (
        CreatePerson(details=FULL),
        "employees",
        "identification=990001&limit=100",
        {
            "name": "Zoe Zander",
            "email": "zoe@plant.example",
            "identification": "990001",
            "status": "INACTIVE",
            "sectorId": "sec-1",
            "costCenterId": "cc-1",
            "costCenter2Id": "cc-2",
            "jobRoleId": "job-1",
            "groupId": "grp-1",
        },
    ),
    "person by mail": (
        CreatePerson(details=PersonDetails(name="Zoe", email="zoe@plant.example")),
        "employees",
        "name=Zoe&limit=100",
        {"name": "Zoe", "email": "zoe@plant.example"},
    ),
    "sector": (
        CreateUnit(unit_kind=UnitKind.SECTOR, name="Attic"),
        "sectors",
        "name=Attic&limit=100",
        {"name": "Attic"},
    ),
    "cost center": (
        CreateUnit(unit_kind=UnitKind.COST_CENTER, name="Attic", code="77"),
        "cost-centers",
        "name=Attic&limit=100",
        {"name": "Attic", "code": "77"},
    ),
    "job role": (
        CreateUnit(unit_kind=UnitKind.JOB_ROLE, name="Roofer"),
        "job-roles",
        "name=Roofer&limit=100",
        {"name": "Roofer"},
    ),
    "access group": (
        CreateUnit(unit_kind=UnitKind.ACCESS_GROUP, name="Roof"),
        "access-groups",
        "name=Roof&limit=100",
        {"name": "Roof"},
    ),
    "group": (
        CreateGroup(name="Roof", rules=RULES),
        "groups",
        "name=Roof&limit=100",
        {"name": "Roof", "rules": [{"productId": "prd-1", "quantity": 2, "periodDays": 30}]},
    ),
}


@pytest.mark.parametrize("what", CREATED)
async def test_what_is_made_is_looked_for_by_its_key_and_then_sent_once(what: str) -> None:
    order, path, query, body = CREATED[what]
    async with stage() as it:
        taken = await it.connector.send(await it.connector.prepare(order))
        look, sent = it.wire.asked
        assert (look.method, look.path, look.query) == ("GET", f"{ROOT}/{path}", query)
        assert (sent.method, sent.path, sent.query) == ("POST", f"{ROOT}/{path}", "")
        assert orjson.loads(sent.body) == body
        assert sent.headers["content-type"] == "application/json"
        assert "if-match" not in sent.headers
        made = truth(it, path)[-1]
        assert {name: made[name] for name in body} == body
        assert taken.done
        assert taken.result == {"id": made["id"]}
        assert taken.subject is not None
        assert taken.subject.native.rpartition("/")[2] == made["id"]
        assert await it.connector.fulfilled(order) == taken.subject


CHANGED: Mapping[str, tuple[Any, str, str, Row | None]] = {
    "person": (
        UpdatePerson(person="emp-1", details=PersonDetails(email="new@plant.example", sector="SECTOR/sec-2")),
        "employees",
        "emp-1",
        {"email": "new@plant.example", "sectorId": "sec-2"},
    ),
    "sector": (
        UpdateUnit(unit_kind=UnitKind.SECTOR, unit="sec-1", name="Attic"),
        "sectors",
        "sec-1",
        {"name": "Attic"},
    ),
    "cost center": (
        UpdateUnit(unit_kind=UnitKind.COST_CENTER, unit="cc-1", code="78"),
        "cost-centers",
        "cc-1",
        {"code": "78"},
    ),
    "job role": (
        UpdateUnit(unit_kind=UnitKind.JOB_ROLE, unit="job-1", name="Roofer"),
        "job-roles",
        "job-1",
        {"name": "Roofer"},
    ),
    "access group": (
        UpdateUnit(unit_kind=UnitKind.ACCESS_GROUP, unit="acc-1", name="Roof"),
        "access-groups",
        "acc-1",
        {"name": "Roof"},
    ),
    "group": (
        UpdateGroup(group="grp-1", rules=RULES),
        "groups",
        "grp-1",
        {"rules": [{"productId": "prd-1", "quantity": 2, "periodDays": 30}]},
    ),
    "group without rules": (UpdateGroup(group="grp-1", rules=()), "groups", "grp-1", {"rules": []}),
}


@pytest.mark.parametrize("what", CHANGED)
async def test_what_changes_is_read_and_written_against_the_version_that_was_read(what: str) -> None:
    order, path, native, body = CHANGED[what]
    async with stage() as it:
        before = dict(next(row for row in truth(it, path) if row["id"] == native))
        etag = f'"{version(it, path, native)}"'
        taken = await it.connector.send(await it.connector.prepare(order))
        read, sent = it.wire.asked
        assert (read.method, read.path, read.query) == ("GET", f"{ROOT}/{path}/{native}", "")
        assert (sent.method, sent.path, sent.query) == ("PUT", f"{ROOT}/{path}/{native}", "")
        assert (sent.headers["if-match"], orjson.loads(sent.body)) == (etag, body)
        after = next(row for row in truth(it, path) if row["id"] == native)
        assert after == before | (body or {})
        assert (taken.done, taken.result) == (True, {"id": native})
        assert await it.connector.fulfilled(order) == taken.subject


@pytest.mark.parametrize(
    ("path", "order"),
    [
        *((path, lambda native, kind=kind: DeleteUnit(unit_kind=kind, unit=native)) for kind, path in PATHS.items()),
        ("groups", lambda native: DeleteGroup(group=native)),
        ("employees", lambda native: DeletePerson(person=native)),
    ],
)
async def test_what_is_deleted_is_read_and_deleted_in_the_version_that_was_read(path: str, order: Any) -> None:
    async with stage() as it:
        native = "emp-1" if path == "employees" else idle(it, path)
        etag = f'"{version(it, path, native)}"'
        wanted = order(native)
        assert await it.connector.fulfilled(wanted) is False
        before = len(it.wire.asked)
        taken = await it.connector.send(await it.connector.prepare(wanted))
        read, sent = it.wire.asked[before:]
        assert (read.method, sent.method, sent.path) == ("GET", "DELETE", f"{ROOT}/{path}/{native}")
        assert (sent.headers["if-match"], sent.body, sent.query) == (etag, b"", "")
        assert native not in {row["id"] for row in truth(it, path)}
        assert (taken.done, taken.result, taken.subject) == (True, {"id": native}, None)
        assert await it.connector.fulfilled(wanted) is True


async def test_what_would_be_sent_can_be_seen_without_sending_it() -> None:
    async with stage(endpoints={"create-employee": "POST /people"}) as it:
        request = await it.connector.prepare(ZOE)
        before = len(it.wire.asked)
        body = {"name": "Zoe Zander", "identification": "990001"}
        assert it.connector.shown(request) == ("POST", "/people", body)
        assert len(it.wire.asked) == before


async def test_another_version_in_the_answer_is_taken_as_it_is() -> None:
    """The quotes are part of it."""
    async with stage() as it:
        plain = it.wire.app

        async def app(scope: Any, receive: Any, send: Any) -> None:
            async def tagged(message: Any) -> None:
                if message["type"] == "http.response.start":
                    message["headers"] = [
                        (name, b'"a-b"' if name == b"etag" else value) for name, value in message["headers"]
                    ]
                await send(message)

            await plain(scope, receive, tagged)

        it.wire.app = app
        request = await it.connector.prepare(CHANGED["sector"][0])
        assert request.headers == {"if-match": '"a-b"'}


# ---- what is refused ----------------------------------------------------------------------------------------------

REFUSED: Mapping[str, tuple[Order, tuple[str, ...]]] = {
    "nobody could be told from others": (
        CreatePerson(details=PersonDetails(name="Zoe")),
        ("input", "details", "identification"),
    ),
    "no name": (CreatePerson(details=PersonDetails(identification="1")), ("input", "details", "name")),
    "nothing to change": (UpdatePerson(person="emp-1", details=PersonDetails()), ("input",)),
    "no unit's change": (UpdateUnit(unit_kind=UnitKind.SECTOR, unit="sec-1"), ("input",)),
    "no group's change": (UpdateGroup(group="grp-1"), ("input",)),
    "a sector has no code": (CreateUnit(unit_kind=UnitKind.SECTOR, name="A", code="1"), ("input", "code")),
    "no such status": (
        UpdatePerson(person="emp-1", details=PersonDetails(status=PersonStatus.UNKNOWN)),
        ("input", "details", "status"),
    ),
    "a job role is no sector": (
        UpdatePerson(person="emp-1", details=PersonDetails(sector="JOB_ROLE/job-1")),
        ("input", "details", "sectorId"),
    ),
    "no unit": (
        UpdatePerson(person="emp-1", details=PersonDetails(second_cost_center="cc-1")),
        ("input", "details", "secondCostCenterId"),
    ),
    **{
        f"no {field}": (UpdatePerson(person="emp-1", details=details), ("input", "details", field))
        for field, details in (
            ("firstName", PersonDetails(first_name="A")),
            ("lastName", PersonDetails(last_name="A")),
            ("mobile", PersonDetails(mobile="1")),
            ("note", PersonDetails(note="n")),
            ("avatarUrl", PersonDetails(avatar_url="u")),
            ("language", PersonDetails(language="pt")),
            ("address", PersonDetails(address=PersonAddress(city="A"))),
            ("membercards", PersonDetails(membercards=("1",))),
            ("organizationId", PersonDetails(organization="1")),
        )
    },
    "no machine's order": (MachineOrder(kind=Capability.REBOOT, machine="1"), ()),
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


async def test_what_is_gone_cannot_be_changed() -> None:
    async with stage() as it:
        for order in (
            UpdatePerson(person="emp-0", details=PersonDetails(name="Zoe")),
            DeletePerson(person="emp-0"),
            DeleteUnit(unit_kind=UnitKind.SECTOR, unit="sec-0"),
            DeleteGroup(group=".."),
        ):
            with pytest.raises(NotFound):
                await it.connector.prepare(order)
        assert await it.connector.fulfilled(UpdatePerson(person="emp-0", details=PersonDetails(name="Zoe"))) is None


async def test_a_record_without_a_version_is_not_changed() -> None:
    async with stage() as it:

        async def instead(_: Request) -> Response | None:
            return JSONResponse({"data": {"id": "sec-1", "name": "A"}})

        it.wire.instead = instead
        assert type(await failure(it.connector.prepare(CHANGED["sector"][0]))) is VendorProtocolError
        assert asked(it) == ["GET /sectors/sec-1"]


async def test_who_has_the_key_already_is_told_before_anything_is_sent() -> None:
    async with stage() as it:
        row = next(row for row in truth(it, "employees") if row["identification"] and row["email"])
        mail = PersonDetails(name=row["name"].upper(), email=row["email"].upper())
        for details in (PersonDetails(name="Zoe", identification=row["identification"]), mail):
            error = await failure(it.connector.prepare(CreatePerson(details=details)))
            assert isinstance(error, VendorConflict)
            assert (error.sent, error.current) == (False, None)
            assert error.subject == Ref(Kind.PERSON, "acme-safety", row["id"])
            assert not {row["name"], row["email"], row["identification"]} & set(error.message.split())
        sector = truth(it, "sectors")[0]
        error = await failure(it.connector.prepare(CreateUnit(unit_kind=UnitKind.SECTOR, name=sector["name"].lower())))
        assert isinstance(error, VendorConflict)
        assert (error.current, error.subject) == (sector, Ref(Kind.UNIT, "acme-safety", f"SECTOR/{sector['id']}"))
        assert {one.method for one in it.wire.asked} == {"GET"}


async def test_a_name_that_begins_alike_is_another() -> None:
    async with stage() as it:
        sector = truth(it, "sectors")[0]["name"]
        assert (await it.connector.prepare(CreateUnit(unit_kind=UnitKind.SECTOR, name=sector[:-1]))).body is not None


# ---- conflicts ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", CHANGED)
async def test_a_change_against_a_version_that_has_passed_is_a_conflict_with_what_is_there(what: str) -> None:
    order, path, native, _ = CHANGED[what]
    async with stage() as it:
        request = await it.connector.prepare(order)
        change_behind(it, path, native, name="Somebody Else's")
        kept = dict(next(row for row in truth(it, path) if row["id"] == native))
        error = await failure(it.connector.send(request))
        assert isinstance(error, VendorConflict)
        assert "it has changed since it was read" in error.message
        assert "Somebody" not in error.message
        assert error.current == (None if path == "employees" else kept)
        assert error.subject is not None
        assert error.subject.native.rpartition("/")[2] == native
        assert next(row for row in truth(it, path) if row["id"] == native) == kept
        assert [line.split()[0] for line in asked(it)] == ["GET", "PUT", "GET"]


async def test_412_is_a_conflict_too() -> None:
    async with stage() as it:
        request = await it.connector.prepare(CHANGED["sector"][0])

        async def instead(request: Request) -> Response | None:
            return JSONResponse({}, 412) if request.method == "PUT" else None

        it.wire.instead = instead
        error = await failure(it.connector.send(request))
        assert isinstance(error, VendorConflict)
        assert error.current == truth(it, "sectors")[0]


async def test_a_conflict_whose_record_cannot_be_read_is_still_one() -> None:
    async with stage() as it:
        request = await it.connector.prepare(CHANGED["sector"][0])

        async def instead(request: Request) -> Response | None:
            return JSONResponse({}, 409 if request.method == "PUT" else 500)

        it.wire.instead = instead
        error = await failure(it.connector.send(request))
        assert isinstance(error, VendorConflict)
        assert (error.current, error.subject) == (None, None)


async def test_two_who_make_the_same_do_not_make_it_twice() -> None:
    async with stage() as it:
        first, second = await it.connector.prepare(ZOE), await it.connector.prepare(ZOE)
        made = await it.connector.send(first)
        error = await failure(it.connector.send(second))
        assert isinstance(error, VendorConflict)
        assert "another one has this identification" in error.message
        assert (error.current, error.subject) == (None, made.subject)
        assert sum(row["name"] == "Zoe Zander" for row in truth(it, "employees")) == 1


async def test_what_others_belong_to_is_not_deleted() -> None:
    async with stage() as it:
        used = truth(it, "employees")[0]["sectorId"]
        order = DeleteUnit(unit_kind=UnitKind.SECTOR, unit=used)
        error = await failure(it.connector.send(await it.connector.prepare(order)))
        assert isinstance(error, VendorConflict)
        assert "others still belong to it" in error.message
        assert error.current == next(row for row in truth(it, "sectors") if row["id"] == used)
        assert await it.connector.fulfilled(order) is False


# ---- what is not told ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [400, 409, 412, 422, 429, 500])
async def test_what_the_vendor_repeats_of_a_person_is_neither_in_errors_nor_in_logs(status: int) -> None:
    async with stage() as it:
        order = CreatePerson(details=PersonDetails(name=CANARY, identification="990001"))
        change = UpdatePerson(person="emp-1", details=PersonDetails(name=CANARY))
        requests = [await it.connector.prepare(order), await it.connector.prepare(change)]

        async def instead(_: Request) -> Response | None:
            return JSONResponse({"type": f"urn:smartepi:error:{CANARY}", "title": CANARY, "detail": CANARY}, status)

        it.wire.instead = instead
        with capture_logs() as logs:
            errors = [await failure(it.connector.send(request)) for request in requests]
            errors += [await failure(it.connector.people()), await failure(it.connector.person("emp-1"))]
            errors.append(await failure(it.connector.fulfilled(order)))
        assert CANARY not in repr([(error, error.message) for error in errors])
        assert CANARY not in repr(logs)
        assert CANARY not in str(it.connector.guard.last_error)


async def test_what_the_vendor_says_of_a_unit_is_told() -> None:
    async with stage() as it:
        request = await it.connector.prepare(CHANGED["group"][0])

        async def instead(_: Request) -> Response | None:
            return JSONResponse({"detail": "There is no 'prd-1'."}, 422)

        it.wire.instead = instead
        assert "There is no 'prd-1'." in (await failure(it.connector.send(request))).message


# ---- what becomes of it -------------------------------------------------------------------------------------------

CASES = [one for one in but(409, error=VendorConflict) if (one.kind, one.status) != ("status", 401)]
CASES = [one for one in CASES if (one.kind, one.status) != ("status", 403)]


@pytest.mark.parametrize("struck", CASES, ids=str)
async def test_each_way_of_failing_says_whether_it_may_have_been_done(struck: Struck) -> None:
    async with ordering("smartepi") as it:
        error = await it.struck(ZOE, struck, "/employees")
        assert (type(error), error.sent) == (struck.error, struck.sent)
        assert sum(row["name"] == "Zoe Zander" for row in truth(it, "employees")) == struck.done
        it.sandbox.heal()
        found = await it.connector.fulfilled(ZOE)
        assert found == (Ref(Kind.PERSON, "acme-safety", truth(it, "employees")[-1]["id"]) if struck.done else False)
    assert sum(asked.startswith("POST") for asked in it.sandbox.requests()) == struck.tries


def test_the_ways_of_failing_are_not_forgotten() -> None:
    assert len(CASES) == len(STRUCK) - 2


async def test_a_key_that_is_refused_is_the_accounts_fault() -> None:
    async with stage() as it:
        request = await it.connector.prepare(ZOE)

        async def instead(_: Request) -> Response | None:
            return JSONResponse({"Message": "explicit deny"}, 403)

        it.wire.instead = instead
        assert (await failure(it.connector.send(request))).code.value == "VENDOR_UNAUTHORIZED"


@pytest.mark.parametrize(
    "answer",
    [
        JSONResponse({}),
        JSONResponse([]),
        JSONResponse({"data": None}),
        JSONResponse({"data": {"name": "Zoe"}}, 201),
        Response(status_code=204),
        Response(status_code=201),
    ],
)
async def test_an_answer_that_does_not_show_what_was_made_leaves_it_open(answer: Response) -> None:
    async with stage() as it:
        request = await it.connector.prepare(ZOE)

        async def instead(request: Request) -> Response | None:
            return answer if request.method == "POST" else None

        it.wire.instead = instead
        error = await failure(it.connector.send(request))
        assert (type(error), error.sent) == (VendorProtocolError, True)


async def test_an_answer_of_another_record_leaves_it_open() -> None:
    async with stage() as it:
        request = await it.connector.prepare(CHANGED["sector"][0])

        async def instead(request: Request) -> Response | None:
            return JSONResponse({"data": {"id": "sec-2", "name": "Attic"}}) if request.method == "PUT" else None

        it.wire.instead = instead
        assert type(await failure(it.connector.send(request))) is VendorProtocolError


async def test_who_has_the_key_but_is_another_was_not_made_by_us() -> None:
    async with stage() as it:
        await it.connector.send(await it.connector.prepare(ZOE))
        other = CreatePerson(details=PersonDetails(name="Other", identification="990001"))
        assert await it.connector.fulfilled(other) is False


async def test_what_is_kept_back_proves_nothing_of_a_change() -> None:
    async with stage() as it:
        order = UpdatePerson(person="emp-1", details=PersonDetails(email="new@plant.example"))
        assert await it.connector.fulfilled(order) is False

        def rewrite(data: Any) -> Any:
            data["data"].pop("email")
            return data

        it.wire.rewrite = rewrite
        assert await it.connector.fulfilled(order) is None
