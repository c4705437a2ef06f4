"""Organizations, fleets and fridges as clients make them, and the key that links a fridge's hardware."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from domain.refs import Kind, Ref
from gateway.app import create_app
from gateway.settings import load
from sandbox.server import start
from tests.catalogue import FRIDGES, KIOSKS, SAFETY, Found, done, ended, give, now_is, organization, refusal
from tests.commanding import becomes
from tests.running import ADMIN, OPERATOR, STRANGER, VIEWER, Gateway, Sandbox, config_text, running_sandbox

PUBLIC = "https://graph.example.com"
ADDRESS = {"country": "Germany", "countryCode": "DE", "city": "Berlin", "postalCode": "10117"}
GIVEN: Found = {"name": "Markt GmbH", "type": "CLIENT", "currency": "EUR", "address": ADDRESS}


# ---- organizations ------------------------------------------------------------------------------------------------


def test_an_organization_is_sent_as_documented(gateway: Gateway) -> None:
    given: Found = {
        "description": "Shops",
        "slug": "markt",
        "eanPrefix": "400",
        "privacyPolicyUrl": "https://markt.example/privacy",
        "termsUrl": "https://markt.example/terms",
        "contact": {"person": "Mo", "role": "Owner", "email": "mo@markt.example", "phone": "1", "supportPhone": "2"},
        "support": {"email": "help@markt.example", "hotline": "3", "availability": "always"},
    }
    (planned,) = give(
        gateway, "createOrganization", dry=True, accountId=KIOSKS, parentId=organization(1), **GIVEN, **given
    )["planned"]
    assert planned == {
        "method": "POST",
        "path": "/organizations",
        "body": {
            "name": "Markt GmbH",
            "slug": "markt",
            "description": "Shops",
            "eanPrefix": "400",
            "privacyPolicyUrl": "https://markt.example/privacy",
            "termsAndConditionsUrl": "https://markt.example/terms",
            "type": "client",
            "currency": "eur",
            "address": {"country": "Germany", "postalCode": "10117", "city": "Berlin", "countryCode": "DE"},
            "contact": {
                "contactPerson": "Mo",
                "role": "Owner",
                "email": "mo@markt.example",
                "phoneNumber": "1",
                "supportPhoneNumber": "2",
            },
            "support": {"email": "help@markt.example", "hotline": "3", "hotlineAvailability": "always"},
            "parentOrg": 1,
        },
    }


def test_an_organization_is_created_and_changed(gateway: Gateway) -> None:
    gateway.ask("{ organizations(first: 1) { nodes { id } } }")
    made = done(gateway, "createOrganization", accountId=KIOSKS, parentId=organization(1), **GIVEN)
    native = made["result"]["id"]
    assert made["subject"] == {"id": organization(native), "__typename": "Organization", "name": "Markt GmbH"}
    changed = done(gateway, "updateOrganization", organizationId=organization(native), name="Markt SE")
    assert changed["subject"]["name"] == "Markt SE"
    (planned,) = give(
        gateway, "updateOrganization", dry=True, organizationId=organization(native), parentId=organization(2)
    )["planned"]
    assert planned == {"method": "PATCH", "path": f"/organizations/{native}", "body": {"parentOrg": 2}}


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"type": None}, ["input", "type"]),
        ({"type": "bank"}, ["input", "type"]),
        ({"currency": None}, ["input", "currency"]),
        ({"currency": "SEK"}, ["input", "currency"]),
        ({"address": None}, ["input", "address"]),
        ({"name": ""}, ["input", "name"]),
        ({"parentId": organization(1, "other-kiosks")}, ["input", "parentId"]),
        ({"contact": {"email": ""}}, ["input", "contact"]),
    ],
)
def test_an_organization_that_cannot_be_is_refused_without_a_request(
    gateway: Gateway, sandbox: Sandbox, given: Found, field: list[str]
) -> None:
    error = refusal(gateway, "createOrganization", accountId=KIOSKS, **GIVEN | given)
    assert (error["code"], error["field"]) == ("BAD_INPUT", field)
    assert sandbox.requests("livello") == []


def test_what_an_organization_is_told_by_its_vendor(gateway: Gateway, sandbox: Sandbox) -> None:
    query = """query ($id: ID!) { organization(id: $id) {
      taxRates { vendorId name rate country } productLines { vendorId name imageUrl } } }"""
    found = gateway.ask(query, {"id": organization(1)})["organization"]
    assert found["taxRates"] == [
        {"vendorId": "1", "name": "Standard", "rate": "19", "country": "DE"},
        {"vendorId": "2", "name": "Reduced", "rate": "7", "country": "DE"},
    ]
    serials = {one["serialNumber"] for one in sandbox.truth("livello")["machines"] if one["orgId"] == "1"}
    cells = [one for one in sandbox.truth("livello")["slots"] if one["serialNumber"] in serials]
    lines = [one["productLineData"] for one in cells if one["productLineData"] is not None]
    told = {one["vendorId"]: one["name"] for one in found["productLines"]}
    assert told == {str(line["id"]): line["name"] for line in lines}
    before = len(sandbox.requests("livello"))
    assert gateway.ask(query, {"id": organization(1)})["organization"] == found
    assert len(sandbox.requests("livello")) == before
    tenant = gateway.ask("{ viewer { organizations { id taxRates { name } productLines { name } } } }")["viewer"]
    assert [(one["taxRates"], one["productLines"]) for one in tenant["organizations"]] == [(None, None)]


def test_what_a_machine_makes_its_products_of(gateway: Gateway, sandbox: Sandbox) -> None:
    query = "{ machines(first: 200) { nodes { vendor vendorId ingredients { vendorId capacity } } } }"
    found = gateway.ask(query)["machines"]["nodes"]
    told = {one["vendorId"]: one["ingredients"] for one in found if one["vendor"] == "SMARTVEND"}
    assert any(told.values())
    matrices = sandbox.vendors["smartvend"]._fleet.matrices
    for native, ingredients in told.items():
        assert {one["vendorId"]: float(one["capacity"]) for one in ingredients} == {
            one["resourceId"]: one["maxRefillQuantity"] for one in matrices[native]["resources"]
        }
    assert {one["ingredients"] is None for one in found if one["vendor"] != "SMARTVEND"} == {True}


# ---- fleets and fridges -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where that gateway keeps all that it keeps."""
    return tmp_path_factory.mktemp("reached")


@pytest.fixture(scope="module")
def reached(shared_sandbox: Sandbox, home: Path) -> Iterator[Gateway]:
    """A gateway that has an address."""
    path = home / "vendgraph.toml"
    text = config_text(shared_sandbox, home)
    path.write_text(text.replace("[server]", f'[server]\npublic_url = "{PUBLIC}"'), encoding="utf-8")
    with start(create_app(load(path))) as server:
        yield Gateway(server.base, server=server)


@pytest.fixture(scope="module")
def fleet(reached: Gateway) -> str:
    made = done(reached, "createFleet", accountId=FRIDGES, name="Lobbies")
    assert made["fleet"] == {"id": made["result"]["uuid"], "name": "Lobbies"}
    native: str = made["fleet"]["id"]
    return native


def made_fridge(sandbox: Sandbox, native: str) -> Any:
    return next(one for one in sandbox.truth("eatmachine")["machines"] if one["uuid"] == native)


def test_a_fridge_is_made_with_an_address_of_its_own(reached: Gateway, sandbox: Sandbox, fleet: str) -> None:
    given: Found = {"groupId": fleet, "leastCelsius": "-10", "mostCelsius": "7.5", "heartbeatSeconds": 300}
    payload = give(reached, "createMachine", accountId=FRIDGES, kioskUrl="https://kiosk.example.com", **given)
    native = payload["command"]["result"]["uuid"]
    settings = made_fridge(sandbox, native)["settings"]
    url = settings.pop("webhookUrl")
    assert settings == {
        "firmwareVersion": None,
        "temperatureMinAlert": -10,
        "temperatureMaxAlert": 7.5,
        "kioskUrl": "https://kiosk.example.com",
        "heartbeatInterval": 300,
    }
    assert made_fridge(sandbox, native)["fleet"]["uuid"] == fleet
    assert url.startswith(f"{PUBLIC}/webhooks/acme-fridges/new-")
    assert payload["command"]["subject"] == {
        "id": Ref(Kind.MACHINE, "acme-fridges", native).text,
        "__typename": "Machine",
        "name": native,
    }


STATE = "query ($id: ID!) { machine(id: $id) { connectivity lastSeenAt door group { id name } slots { position } } }"


def report(reached: Gateway, url: str, native: str, kind: str = "door-status") -> int:
    body = {"type": kind, "data": {"status": "opened"}, "fridge": {"uuid": native}, "command": None}
    path = url.removeprefix(PUBLIC)
    answer = httpx2.post(f"{reached.base}{path}", content=json.dumps(body), trust_env=False)
    return answer.status_code


def test_a_new_fridge_is_known_and_heard(reached: Gateway, sandbox: Sandbox, fleet: str) -> None:
    payload = give(reached, "createMachine", accountId=FRIDGES, groupId=fleet)
    native = payload["command"]["result"]["uuid"]
    id_ = Ref(Kind.MACHINE, "acme-fridges", native).text
    state = reached.ask(STATE, {"id": id_})["machine"]
    group = {"id": fleet, "name": "Lobbies"}
    assert state == {"connectivity": "UNKNOWN", "lastSeenAt": None, "door": "UNKNOWN", "group": group, "slots": None}
    url = made_fridge(sandbox, native)["settings"]["webhookUrl"]
    assert report(reached, url, native) == 200
    state = reached.ask(STATE, {"id": id_})["machine"]
    assert (state["connectivity"], state["door"], state["group"]) == ("ONLINE", "OPENED", group)
    known = sandbox.truth("eatmachine")["machines"][0]["uuid"]
    assert report(reached, url, known) == 401
    assert report(reached, url[:-1] + ("0" if url[-1] != "0" else "1"), native) == 401


def test_an_address_speaks_for_the_fridge_that_was_made_with_it(reached: Gateway, sandbox: Sandbox, fleet: str) -> None:
    one, other = (
        give(reached, "createMachine", accountId=FRIDGES, groupId=fleet)["command"]["result"]["uuid"] for _ in range(2)
    )
    url = made_fridge(sandbox, one)["settings"]["webhookUrl"]
    assert report(reached, url, other) == report(reached, url, str(uuid4())) == 401
    assert report(reached, url, one) == report(reached, url, one, "boot") == 200


def test_what_is_linked_at_a_new_fridge_makes_no_machine(reached: Gateway, sandbox: Sandbox, fleet: str) -> None:
    native = give(reached, "createMachine", accountId=FRIDGES, groupId=fleet)["command"]["result"]["uuid"]
    path = made_fridge(sandbox, native)["settings"]["webhookUrl"].removeprefix(PUBLIC)
    body = {
        "type": "product-linked",
        "data": [{"code": "e200aa", "expirationDate": None}],
        "product": {"uuid": "p-1", "name": "Banana"},
    }
    answer = httpx2.post(f"{reached.base}{path}", content=json.dumps(body), trust_env=False)
    assert answer.status_code == 200
    query = (
        '{ products(filter: { search: "Banana" }) { nodes { vendorId } } machines(first: 500) { nodes { vendorId } } }'
    )
    found = reached.ask(query)
    assert {"vendorId": "p-1"} in found["products"]["nodes"]
    assert not [one for one in found["machines"]["nodes"] if one["vendorId"].startswith("new-")]


def test_the_init_key_is_told_once_and_kept_nowhere(reached: Gateway, sandbox: Sandbox, fleet: str, home: Path) -> None:
    key = uuid4().hex
    given: Found = {"accountId": FRIDGES, "groupId": fleet, "idempotencyKey": key}
    first = give(reached, "createMachine", **given)
    secret = first["initKey"]
    assert len(secret) == 13
    again = give(reached, "createMachine", **given)
    assert (again["command"]["id"], again["initKey"]) == (first["command"]["id"], None)
    log = reached.ask("{ auditLog(first: 50) { nodes { details } } }")
    shown = json.dumps([first["command"], now_is(reached, first["command"]["id"]), log])
    assert secret not in shown
    kept = [file.read_bytes() for file in home.glob("vendgraph.db*")]
    assert any(first["command"]["result"]["uuid"].encode() in one for one in kept)
    assert not any(secret.encode() in one for one in kept)
    made = [one for one in sandbox.requests("eatmachine") if one.startswith("POST") and one.endswith("/fridges")]
    assert len(made) == 1


@pytest.fixture
def hurried(tmp_path: Path) -> Iterator[tuple[Gateway, Sandbox]]:
    """As `reached`, and its mutations wait for nothing."""
    with running_sandbox() as sandbox:
        text = config_text(sandbox, tmp_path, more="\n[commands]\nanswer_seconds = 0\n")
        path = tmp_path / "vendgraph.toml"
        path.write_text(text.replace("[server]", f'[server]\npublic_url = "{PUBLIC}"'), encoding="utf-8")
        with start(create_app(load(path))) as server:
            yield Gateway(server.base, server=server), sandbox


def test_who_asks_after_a_slow_answer_gets_the_key(hurried: tuple[Gateway, Sandbox]) -> None:
    """The first did not wait so long."""
    gateway, sandbox = hurried
    (fleet, *_) = sandbox.vendors["eatmachine"].fleet.fleets
    given: Found = {"accountId": FRIDGES, "groupId": fleet, "idempotencyKey": uuid4().hex}
    first = give(gateway, "createMachine", **given)
    assert (first["command"]["status"] in {"PENDING", "SENT"}, first["initKey"]) == (True, None)
    becomes(gateway, first["command"]["id"], "SUCCEEDED")
    assert len(give(gateway, "createMachine", **given)["initKey"]) == 13
    assert give(gateway, "createMachine", **given)["initKey"] is None


def test_a_dry_run_tells_no_address(reached: Gateway, fleet: str) -> None:
    (planned,) = give(reached, "createMachine", dry=True, accountId=FRIDGES, groupId=fleet)["planned"]
    assert planned == {
        "method": "POST",
        "path": "/fridges",
        "body": {"fleet_id": fleet, "settings": {"webhookUrl": "***"}},
    }


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"leastCelsius": "8", "mostCelsius": "8"}, ["input", "mostCelsius"]),
        ({"leastCelsius": "-100"}, ["input", "leastCelsius"]),
        ({"heartbeatSeconds": 0}, ["input", "heartbeatSeconds"]),
        ({"kioskUrl": "http://kiosk.example.com"}, ["input", "kioskUrl"]),
        ({"groupId": ""}, ["input", "groupId"]),
    ],
)
def test_a_fridge_that_cannot_be_is_refused(
    reached: Gateway, sandbox: Sandbox, fleet: str, given: Found, field: list[str]
) -> None:
    sandbox.forget_requests()
    error = refusal(reached, "createMachine", **{"accountId": FRIDGES, "groupId": fleet} | given)
    assert (error["code"], error["field"]) == ("BAD_INPUT", field)
    assert sandbox.requests("eatmachine") == []


def test_a_gateway_without_an_address_makes_no_fridges(gateway: Gateway) -> None:
    error = refusal(gateway, "createMachine", accountId=FRIDGES, groupId="f-1")
    assert (error["code"], error["reason"]) == ("UNSUPPORTED", "NOT_PERMITTED")
    assert "public_url" in error["message"]


def test_a_fleet_that_is_not_there_is_the_vendors_word(reached: Gateway) -> None:
    command = ended(reached, "createMachine", accountId=FRIDGES, groupId=str(uuid4()))
    assert (command["status"], command["errorCode"], command["fleet"]) == ("FAILED", "VENDOR_REJECTED", None)


def test_an_answer_that_was_lost_leaves_it_open(reached: Gateway, sandbox: Sandbox) -> None:
    sandbox.break_("eatmachine", "truncate", operation="/fleets", times=1)
    assert ended(reached, "createFleet", accountId=FRIDGES, name="Lost")["status"] == "UNKNOWN"


def test_an_address_whose_answer_was_lost_is_of_the_first_that_speaks(
    reached: Gateway, sandbox: Sandbox, fleet: str
) -> None:
    sandbox.break_("eatmachine", "truncate", operation="/fridges", times=1)
    assert ended(reached, "createMachine", accountId=FRIDGES, groupId=fleet)["status"] == "UNKNOWN"
    lost = sandbox.truth("eatmachine")["machines"][-1]
    url, native = lost["settings"]["webhookUrl"], lost["uuid"]
    assert report(reached, url, native) == 200
    assert report(reached, url, str(uuid4())) == 401
    assert report(reached, url, native, "boot") == 200


def test_the_estate_is_for_admins_of_their_own_and_where_the_vendor_has_it(gateway: Gateway, sandbox: Sandbox) -> None:
    for by in (VIEWER, OPERATOR):
        assert refusal(gateway, "createFleet", by=by, accountId=FRIDGES, name="Mine")["code"] == "FORBIDDEN"
        assert refusal(gateway, "createMachine", by=by, accountId=FRIDGES, groupId="f")["code"] == "FORBIDDEN"
        error = refusal(gateway, "updateOrganization", by=by, organizationId=organization(1), name="Mine")
        assert error["code"] == "FORBIDDEN"
    for mutation, given in (("createFleet", {"name": "Mine"}), ("createMachine", {"groupId": "f"})):
        assert refusal(gateway, mutation, by=STRANGER, accountId=FRIDGES, **given)["code"] == "NOT_FOUND"
        assert refusal(gateway, mutation, by=ADMIN, accountId=SAFETY, **given)["code"] == "UNSUPPORTED"
    error = refusal(gateway, "updateOrganization", by=STRANGER, organizationId=organization(1), name="Mine")
    assert error["code"] == "NOT_FOUND"
    tenant = gateway.ask("{ viewer { organizations { id } } }")["viewer"]["organizations"][0]["id"]
    assert refusal(gateway, "updateOrganization", organizationId=tenant, name="Mine")["code"] == "NOT_FOUND"
    assert sandbox.requests("livello") == sandbox.requests("eatmachine") == []
