"""SmartEPI's webhooks: signed with their time, and about the records that the lists give."""

import hmac
import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette

from connectors.base import Secret
from connectors.reporting import Delivery, Forged, Illegible, LearnsMachines, SendsWebhooks
from connectors.smartepi import SmartEPI, connect
from domain.capabilities import Capability
from domain.errors import BadInput, VendorProtocolError
from domain.facts import Fact, FactKind
from domain.model import MachineEvent, Severity, Trust, Vendor
from domain.sales import Sale, SaleKind, SaleStatus
from domain.times import Span
from sandbox.app import create_app
from sandbox.smartepi import WEBHOOK
from sandbox.smartepi import SmartEPI as Emulated
from sandbox.world import World
from tests.deliveries import NOW, account, delivery, sample, vectors

SECRET = "whsec_" + b64encode(b"sixteen bytes ok").decode()
OTHER = "whsec_other"
SECONDS = int(NOW.timestamp())
KEYS, VECTORS = vectors("smartepi")


def smartepi(*secrets: str, **webhook: Any) -> SmartEPI:
    """It asks nobody."""
    client = httpx2.AsyncClient(transport=httpx2.ASGITransport(Starlette()))
    return connect(account(Vendor.SMARTEPI, *secrets, **webhook), client)


def v1(body: bytes, *, secret: bytes = SECRET.encode(), signed_at: str = str(SECONDS), recipe: bytes = b"%b.%b") -> str:
    return hmac.digest(secret, recipe % (signed_at.encode(), body), "sha256").hex()


def sent(header: str, body: bytes = b"{}", at: datetime = NOW) -> Delivery:
    return delivery(body, at=at, x_smartepi_signature=header)


def facts(body: bytes) -> list[Fact]:
    connector, told = smartepi(SECRET), sent(f"t={SECONDS},v1={v1(body)}", body)
    return list(connector.facts(connector.verify(told), told))


def only(found: Mapping[str, Any]) -> Fact:
    (fact,) = facts(json.dumps(found).encode())
    return fact


@pytest.mark.parametrize("row", VECTORS, ids=lambda row: row["name"])
def test_every_vector_gets_its_verdict(row: dict[str, Any]) -> None:
    """Stricter than the judge of the vectors in one thing: what is signed for a time to come is refused."""
    now = datetime.fromtimestamp(row["now"], UTC)
    good = row["valid"] and "future" not in row["name"]
    connector = smartepi(KEYS["secret"], tolerance=float(row["tolerance"]))
    if good:
        connector.verify(sent(row["header"], row["raw"], now))
    else:
        with pytest.raises((Forged, Illegible)):
            connector.verify(sent(row["header"], row["raw"], now))


@pytest.mark.parametrize("off", [-300, 300])
def test_the_time_may_be_off_by_the_tolerance_either_way(off: int) -> None:
    header = f"t={SECONDS},v1={v1(b'{}')}"
    assert smartepi(SECRET).verify(sent(header, at=NOW + timedelta(seconds=off))) == {}
    beyond = NOW + timedelta(seconds=off + (1 if off > 0 else -1))
    with pytest.raises(Forged):
        smartepi(SECRET).verify(sent(header, at=beyond))
    assert smartepi(SECRET, tolerance=301.0).verify(sent(header, at=beyond)) == {}


@pytest.mark.parametrize(
    "header",
    [
        "t={t},v1={good}",
        "v1={good},t={t}",
        "t={t},v1={bad},v1={good},v1={bad}",
        "t={t},v0={bad},v1={good},x,y=1,v2={bad}",
        "t=1,t={t},v1={good}",
        "t=x,t={t},v1={good}",
    ],
)
def test_other_parts_and_other_signatures_do_no_harm(header: str) -> None:
    filled = header.format(t=SECONDS, good=v1(b"{}"), bad=v1(b"[]"))
    assert smartepi(SECRET).verify(sent(filled)) == {}


@pytest.mark.parametrize(
    "header",
    [
        "",
        "v1={good}",
        "t={t}",
        "t={t},v1=",
        "t={t},v0={good}",
        "t={t}, v1={good}",
        "t={t},v1={good} ",
        "t={t};v1={good}",
        "t={t},t=1,v1={good}",
        "t={t},t=,v1={good}",
        "t=+{t},v1={good}",
        "t={t}.0,v1={good}",
        "T={t},v1={good}",
        "t={t},v1=ü",
        "t={t},v1={upper}",
        "t={t},v1={cut}",
        "t={t},v1={bad}",
    ],
)
def test_any_other_header_is_forged(header: str) -> None:
    good = v1(b"{}")
    filled = header.format(t=SECONDS, good=good, bad=v1(b"[]"), upper=good.upper(), cut=good[:-1])
    with pytest.raises(Forged):
        smartepi(SECRET).verify(sent(filled))


def test_the_time_is_signed_as_it_was_sent() -> None:
    for text in (f"0{SECONDS}", f"00{SECONDS}"):
        assert smartepi(SECRET).verify(sent(f"t={text},v1={v1(b'{}', signed_at=text)}")) == {}
    with pytest.raises(Forged):
        smartepi(SECRET).verify(sent(f"t=0{SECONDS},v1={v1(b'{}')}"))
    for text in (f"{SECONDS}x", f"{SECONDS}.0", f" {SECONDS}", "1" * 13):
        with pytest.raises(Forged, match="no time"):
            smartepi(SECRET).verify(sent(f"t={text},v1={v1(b'{}', signed_at=text)}"))


def test_both_secrets_are_good_while_they_are_rotated() -> None:
    connector = smartepi(OTHER, SECRET)
    for secret in (SECRET, OTHER):
        assert connector.verify(sent(f"t={SECONDS},v1={v1(b'{}', secret=secret.encode())}")) == {}
    with pytest.raises(Forged):
        connector.verify(sent(f"t={SECONDS},v1={v1(b'{}', secret=b'third')}"))


def test_without_a_secret_or_a_header_nothing_is_genuine() -> None:
    with pytest.raises(Forged):
        smartepi().verify(sent(f"t={SECONDS},v1={v1(b'{}')}"))
    with pytest.raises(Forged):
        smartepi(SECRET).verify(delivery(b"{}"))


def test_what_is_signed_and_with_which_key_can_be_configured() -> None:
    body = b'{"text":"{t} {body}"}'
    other_recipe = smartepi(SECRET, recipe="v1:{t}:{body}:{t}")
    signature = hmac.digest(SECRET.encode(), b"v1:%d:%b:%d" % (SECONDS, body, SECONDS), "sha256").hex()
    assert other_recipe.verify(sent(f"t={SECONDS},v1={signature}", body)) == json.loads(body)
    tail = smartepi(SECRET, encoding="base64")
    assert tail.verify(sent(f"t={SECONDS},v1={v1(b'{}', secret=b'sixteen bytes ok')}")) == {}
    for connector in (other_recipe, tail):
        with pytest.raises(Forged):
            connector.verify(sent(f"t={SECONDS},v1={v1(b'{}')}"))


@pytest.mark.parametrize(
    ("how", "reason"),
    [({"recipe": "{t}"}, "recipe"), ({"recipe": "{body}{body}"}, "recipe"), ({"encoding": "base64"}, "secret")],
)
def test_what_cannot_be_meant_is_refused_when_the_account_is_set_up(how: dict[str, Any], reason: str) -> None:
    secret = "whsec_no!base64"
    with pytest.raises(ValueError, match=f"acme-smartepi: webhook.{reason}") as refused:
        smartepi(secret, **how)
    assert secret not in str(refused.value)


def test_a_genuine_body_that_is_no_json_is_kept_and_one_that_is_no_text_is_refused() -> None:
    for body in (b"", b"hello", b'{"a":', b"NaN", b"[" * 5000, b"[" * 65 + b"]" * 65):
        told = sent(f"t={SECONDS},v1={v1(body)}", body)
        assert smartepi(SECRET).verify(told) is None
        with pytest.raises(VendorProtocolError):
            smartepi(SECRET).facts(None, told)
    no_text = b"{\xff}"
    with pytest.raises(Illegible):
        smartepi(SECRET).verify(sent(f"t={SECONDS},v1={v1(no_text)}", no_text))


def test_a_test_tells_nothing() -> None:
    assert facts(sample("smartepi/test")) == []


@pytest.mark.parametrize(
    ("name", "identity", "kind", "status"),
    [
        ("withdrawal", "w:w-42", SaleKind.WITHDRAWAL, SaleStatus.COMPLETED),
        ("return", "r:42", SaleKind.RETURN, SaleStatus.COMPLETED),
        ("exchange", "x:42", SaleKind.EXCHANGE, SaleStatus.FAILED),
    ],
)
def test_a_transaction_is_told_as_a_sale(name: str, identity: str, kind: SaleKind, status: SaleStatus) -> None:
    (fact,) = facts(sample(f"smartepi/{name}"))
    assert isinstance(fact.content, Sale)
    assert (fact.kind, fact.identity, fact.machine) == (FactKind.SALE, identity, "d-1")
    assert (fact.content.kind, fact.content.status, fact.content.trust) == (kind, status, Trust.SIGNED)
    assert fact.recorded_at.timestamp() == 1715000000
    assert fact.machine_name == ("Gate dispenser" if name == "withdrawal" else None)


def test_a_record_without_a_time_has_that_of_its_envelope() -> None:
    data = {"id": "w-1", "withdrawalStatus": "SUCCESS"}
    fact = only({"id": "evt_1", "type": "withdrawal.created", "createdAt": 1715000001, "data": data})
    assert (fact.identity, fact.machine, fact.recorded_at.timestamp()) == ("w:w-1", None, 1715000001)


def test_a_training_is_an_event() -> None:
    (fact,) = facts(sample("smartepi/training"))
    assert isinstance(fact.content, MachineEvent)
    assert (fact.kind, fact.identity, fact.machine) == (FactKind.EVENT, "evt_training_record_created_t-1", None)
    assert (fact.content.code, fact.content.severity) == ("training_record.created", Severity.INFO)
    assert fact.recorded_at.timestamp() == 1715000001


def test_a_type_of_the_future_is_kept_as_an_event() -> None:
    fact = only({"id": "evt_9", "type": "employee.created", "createdAt": 1715000001, "data": {"id": "e-1"}})
    assert isinstance(fact.content, MachineEvent)
    assert (fact.identity, fact.content.code, fact.content.severity) == ("evt_9", "employee.created", Severity.INFO)
    bare, again = only({"type": "x", "data": [1.0]}), only({"data": [1.0], "type": "x"})
    assert (bare, bare.recorded_at) == (again, NOW)
    assert bare.identity != only({"type": "x", "data": [2.0]}).identity


@pytest.mark.parametrize(
    "body",
    [
        "[]",
        "null",
        "{}",
        '{"type":null}',
        '{"type":{}}',
        json.dumps({"type": "x" * 101}),
        '{"type":"withdrawal.created"}',
        '{"type":"return.created","data":{"createdAt":1}}',
        '{"type":"exchange.created","data":{"id":1}}',
        '{"type":"x","createdAt":"soon"}',
    ],
)
def test_what_has_no_type_or_no_record_cannot_be_read(body: str) -> None:
    with pytest.raises(VendorProtocolError):
        facts(body.encode())


async def test_what_is_told_by_webhook_is_what_the_lists_give() -> None:
    world = World(scale=0.1, days=10)
    vendor = Emulated(world)
    told = vendor.account("http://sandbox")
    configured = replace(
        account(Vendor.SMARTEPI, WEBHOOK["secret"]),
        base_url=told["base_url"],
        credentials={name: Secret(text) for name, text in told["credentials"].items()},
    )
    rows = vendor.truth()["sales"]
    span = Span(world.now() - timedelta(days=10), world.now() + timedelta(seconds=1))
    transport = httpx2.ASGITransport(app=create_app(vendors=[vendor]))
    async with httpx2.AsyncClient(transport=transport) as client:
        connector = connect(configured, client)
        listed = {sale.ref: sale for sale in (await connector.sales(span, 10**6, None)).items}
    found = [fact for row in rows for fact in told_by(connector, vendor, row)]
    assert {type(fact.content) for fact in found} == {Sale}
    assert {fact.content.ref: fact.content for fact in found if isinstance(fact.content, Sale)} == {
        ref: replace(sale, trust=Trust.SIGNED) for ref, sale in listed.items()
    }
    assert len({fact.identity for fact in found}) == len(rows) > 20


def told_by(connector: SmartEPI, vendor: Emulated, row: Mapping[str, Any]) -> list[Fact]:
    body, headers = vendor.webhook(row)
    lower = {name.lower(): value for name, value in headers.items()}
    signed_at = int(lower["x-smartepi-signature"].partition(",")[0].removeprefix("t="))
    told = Delivery(headers=lower, body=body, received_at=datetime.fromtimestamp(signed_at, UTC))
    return list(connector.facts(connector.verify(told), told))


def test_a_device_is_learned_from_what_it_reported() -> None:
    connector = smartepi()
    assert isinstance(connector, LearnsMachines)
    named, nameless = connector.learned("d-1", "Gate", NOW), connector.learned("d-2", None, NOW)
    assert [(one.vendor_id, one.name, one.last_seen_at) for one in (named, nameless)] == [
        ("d-1", "Gate", NOW),
        ("d-2", "d-2", NOW),
    ]


def test_there_is_one_address_for_all_devices() -> None:
    connector = smartepi()
    assert isinstance(connector, SendsWebhooks)
    assert {Capability.WEBHOOKS, Capability.EVENTS} <= connector.capabilities
    assert connector.address(None) == ""
    with pytest.raises(BadInput):
        connector.address("d-1")
