"""SmartVend's webhooks: who signed them, and what they tell."""

import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256, SHA512
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from starlette.applications import Starlette

from connectors.base import Secret
from connectors.reporting import Forged, Illegible, SendsWebhooks
from connectors.smartvend import SmartVend, connect
from connectors.smartvend.canonical import DEEPEST, canonical, value
from domain.capabilities import Capability
from domain.errors import BadInput, VendorProtocolError
from domain.facts import Fact, FactKind
from domain.model import MachineEvent, Severity, Trust, Vendor
from domain.sales import Sale
from domain.times import Span
from sandbox.app import create_app
from sandbox.smartvend import SmartVend as Emulated
from sandbox.world import World
from tests.deliveries import account, delivery, sample, vectors

KEYS, VECTORS = vectors("smartvend")
Sign = Callable[[bytes], bytes]


def hexed(key: Any) -> str:
    found: bytes = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return found.hex()


RSA = rsa.generate_private_key(65537, 2048)
OTHER_RSA = rsa.generate_private_key(65537, 2048)
ED25519 = ed25519.Ed25519PrivateKey.generate()
P256 = ec.generate_private_key(ec.SECP256R1())
SIGNERS: Mapping[str, tuple[str, Sign]] = {
    "rsa": (hexed(RSA), lambda text: RSA.sign(text, padding.PKCS1v15(), SHA256())),
    "ed25519": (hexed(ED25519), ED25519.sign),
    "p256": (hexed(P256), lambda text: P256.sign(text, ec.ECDSA(SHA256()))),
}


def smartvend(*keys: str) -> SmartVend:
    """It asks nobody."""
    return connect(account(Vendor.SMARTVEND, *keys), httpx2.AsyncClient(transport=httpx2.ASGITransport(Starlette())))


def signed(body: bytes, sign: Sign = ED25519.sign, *, text: bytes | None = None) -> Any:
    signature = b64encode(sign(canonical(body) if text is None else text)).decode()
    return delivery(body, x_signature=signature)


def facts(body: bytes) -> list[Fact]:
    connector, sent = smartvend(hexed(ED25519)), signed(body)
    return list(connector.facts(connector.verify(sent), sent))


def only(body: bytes) -> Fact:
    (fact,) = facts(body)
    return fact


@pytest.mark.parametrize("row", VECTORS, ids=lambda row: f"{row['id']}-{row['category']}")
def test_every_vector_gets_nodes_verdict(row: dict[str, Any]) -> None:
    connector, sent = smartvend(KEYS["public_key_spki_hex"]), delivery(row["raw"], x_signature=row["signature"])
    deep = row["category"] == "deep" and row["raw"].count(b"{") + row["raw"].count(b"[") > DEEPEST
    if deep or row["canonical_sha256"] is None:
        with pytest.raises(Illegible):
            connector.verify(sent)
    elif not row["valid"]:
        with pytest.raises(Forged):
            connector.verify(sent)
    else:
        assert connector.verify(sent) == value(canonical(row["raw"]))


@pytest.mark.parametrize("kind", SIGNERS)
def test_the_key_says_which_algorithm_it_is(kind: str) -> None:
    key, sign = SIGNERS[kind]
    for body in (sample("smartvend/sale"), sample("smartvend/event"), b"[]", b'"x"'):
        assert smartvend(key).verify(signed(body, sign)) == json.loads(body)
        with pytest.raises(Forged):
            smartvend(key).verify(signed(body, sign, text=body + b" "))
        for other in SIGNERS.keys() - {kind}:
            with pytest.raises(Forged):
                smartvend(SIGNERS[other][0]).verify(signed(body, sign))


@pytest.mark.parametrize(
    "sign",
    [
        lambda text: RSA.sign(text, padding.PKCS1v15(), SHA512()),
        lambda text: RSA.sign(text, padding.PSS(padding.MGF1(SHA256()), 32), SHA256()),
        lambda text: OTHER_RSA.sign(text, padding.PKCS1v15(), SHA256()),
    ],
    ids=["other digest", "other padding", "other key"],
)
def test_any_other_signature_is_forged(sign: Sign) -> None:
    with pytest.raises(Forged):
        smartvend(hexed(RSA)).verify(signed(sample("smartvend/sale"), sign))


def test_both_keys_are_good_while_they_are_rotated() -> None:
    connector = smartvend(hexed(ED25519), hexed(RSA))
    for sign in (SIGNERS["ed25519"][1], SIGNERS["rsa"][1]):
        assert connector.verify(signed(b"[]", sign)) == []
    with pytest.raises(Forged):
        connector.verify(signed(b"[]", SIGNERS["p256"][1]))


def test_base64_is_read_as_node_reads_it() -> None:
    connector, signature = smartvend(hexed(ED25519)), ED25519.sign(b"[]")
    texts = (b64encode(signature), urlsafe_b64encode(signature).rstrip(b"="), b" " + b64encode(signature) + b"==junk")
    for text in texts:
        assert connector.verify(delivery(b"[]", x_signature=text.decode())) == []
    for wrong in ("", "=", "A", "юю", "A" * 10_001, b64encode(signature[:-1]).decode()):
        with pytest.raises(Forged):
            connector.verify(delivery(b"[]", x_signature=wrong))


def test_without_a_key_or_a_signature_nothing_is_genuine() -> None:
    with pytest.raises(Forged):
        smartvend().verify(signed(b"[]"))
    with pytest.raises(Forged):
        smartvend(hexed(ED25519)).verify(delivery(b"[]"))


def as_pss(key: str) -> str:
    """The same RSA key, marked as one for PSS only."""
    return key.replace("30820122300d06092a864886f70d0101010500", "30820120300b06092a864886f70d01010a")


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        (hexed(rsa.generate_private_key(65537, 1024)), "1024 bits"),  # noqa: S505  too short is the point
        (hexed(ec.generate_private_key(ec.SECP384R1())), "kind"),
        (hexed(ed448.Ed448PrivateKey.generate()), "kind"),
        (as_pss(hexed(RSA)), "padding"),
        (hexed(RSA)[:-2], "SPKI"),
        (RSA.public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1).hex(), "SPKI"),
        ("302a300506032b65700321zz", "SPKI"),
        ("-----BEGIN PUBLIC KEY-----", "SPKI"),
    ],
)
def test_other_keys_are_refused_when_the_account_is_set_up(key: str, reason: str) -> None:
    with pytest.raises(ValueError, match=f"acme-smartvend: webhook.public_key .*{reason}") as refused:
        smartvend(hexed(ED25519), key)
    assert key[:20] not in str(refused.value)


def test_what_is_not_signed_is_not_acted_on() -> None:
    sale = sample("smartvend/sale").decode()
    body = '{"totalPrice":"999999","__proto__":{"saleId":"forged"},' + sale.lstrip()[1:].replace(
        '"quantity": 1,', '"quantity": 7, "quantity": 1.0,'
    )
    found, told = only(body.encode()), only(sale.encode())
    assert found.content == told.content
    assert isinstance(told.content, Sale)
    assert told.content.lines[0].quantity == 1


def test_a_sale_is_told_with_its_identity_and_times() -> None:
    fact = only(sample("smartvend/sale"))
    assert isinstance(fact.content, Sale)
    assert (fact.kind, fact.identity, fact.machine) == (
        FactKind.SALE,
        "c1a4be0d-7f5b-4b55-8a52-5f1e6a9d2b77",
        "7d0c8d64-2c2e-4f7b-8d0a-0f0f6f2d9b10",
    )
    assert (fact.recorded_at.timestamp(), fact.occurred_at.timestamp()) == (1715000000, 1714999990)
    assert (fact.content.trust, str(fact.content.total and fact.content.total.amount)) == (Trust.SIGNED, "2.00")
    assert (fact.machine_name, fact.fleeting) == ("Кофе, 2-й этаж", False)


def test_an_event_is_told_with_its_identity_and_its_words() -> None:
    fact = only(sample("smartvend/event"))
    assert isinstance(fact.content, MachineEvent)
    assert (fact.kind, fact.identity) == (FactKind.EVENT, "0c9e7a8e-15a6-4c0f-9c0a-6a3d1f2b4c55")
    assert (fact.content.code, fact.content.message) == ("DOOR", "events.door-opened")
    assert (fact.content.severity, fact.content.trust) == (Severity.CRITICAL, Trust.SIGNED)


def test_an_event_without_an_id_is_identified_by_what_it_says() -> None:
    row = json.loads(sample("smartvend/event")) | {"id": None}
    first, again = only(json.dumps(row).encode()), only(json.dumps(dict(reversed(row.items())), indent=4).encode())
    later = only(json.dumps(row | {"createdAt": 1715000001}).encode())
    assert first == again
    assert first.identity != later.identity
    assert isinstance(first.content, MachineEvent)
    assert first.content.vendor_data == row


@pytest.mark.parametrize(
    "body",
    ["[]", "null", '"x"', "{}", '{"id":"1"}', '{"level":"info"}', '{"saleId":null}', '{"saleId":"1","createdAt":"?"}'],
)
def test_what_is_genuine_and_neither_sale_nor_event_cannot_be_read(body: str) -> None:
    with pytest.raises(VendorProtocolError):
        facts(body.encode())


def test_there_is_one_address_for_all_machines() -> None:
    connector = smartvend()
    assert isinstance(connector, SendsWebhooks)
    assert Capability.WEBHOOKS in connector.capabilities
    assert connector.address(None) == ""
    with pytest.raises(BadInput):
        connector.address("7d0c8d64")


async def test_what_is_told_by_webhook_is_what_the_lists_give() -> None:
    """A poll and a webhook have to find the same thing the same, or it is there twice; and an event that was told
    before its dictionary was read shows its key."""
    world = World(scale=0.05, days=3)
    vendor = Emulated(world)
    app = create_app(vendors=[vendor])
    told = vendor.account("http://sandbox")
    configured = replace(
        account(Vendor.SMARTVEND, hexed(ED25519)),
        base_url=told["base_url"],
        credentials={name: Secret(text) for name, text in told["credentials"].items()},
    )
    span = Span(world.now() - timedelta(days=3), world.now() + timedelta(seconds=1))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app)) as client:
        connector = connect(configured, client)
        sales, told_early = vendor.truth()["sales"][-20:], vendor.truth()["events"][-1]
        listed = {sale.vendor_id: sale for sale in (await connector.sales(span, 10**6, None)).items}
        assert len(sales) == 20
        for row in sales:
            sent = signed(json.dumps(row).encode())
            (fact,) = connector.facts(connector.verify(sent), sent)
            assert fact.content == replace(listed[fact.identity], trust=Trust.SIGNED)
        sent = signed(json.dumps(told_early).encode())
        (early,) = connector.facts(connector.verify(sent), sent)
        events = {event.vendor_id: event for event in (await connector.events(span, 10**6, None)).items}
        (late,) = connector.facts(connector.verify(sent), sent)
    assert isinstance(early.content, MachineEvent)
    assert early.content.message == told_early["localizeKey"]
    assert late.content == replace(events[late.identity], trust=Trust.SIGNED)
    assert early.identity == late.identity
    assert replace(early.content, message="") == replace(late.content, message="")


def test_the_known_signature_of_a_known_key_is_good() -> None:
    body = (
        '{"totalPrice":"15000","saleId":"2bab4348-b09e-4b08-a600-8273f0d2907f","10":1,"9":2,"controllerHumanName":'
        '"Кофе №1","quantity":1.0,"products":[{"quantity":1,"name":"Espresso"}],"change":"0"}'
    )
    key = "302a300506032b6570032100ea4a6c63e29c520abef5507b132ec5f9954776aebebe7b92421eea691446d22c"
    signature = "XUdhr3pQr6Ja4GhrkHtFLu8PXpW1yZckD9l4cgIm8DUYdKWteTF7sZTsdmZWp8w3s/UqzLx0jLj2a7B+bM1LAw=="
    assert smartvend(key).verify(delivery(body.encode(), x_signature=signature))["9"] == 2
