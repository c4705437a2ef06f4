"""SmartVend's webhooks: sales and events, with neither a type nor a time stamp in what is signed.

https://api.smartvend.ru/ "Webhook authentication": `x-signature` is base64 and signs the canonical form. The vendor
speaks of RSA, its code takes any key: which algorithm it is stands in the key."""

import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Mapping, Sequence
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from connectors.base import Account
from connectors.parsing import text
from connectors.reporting import Delivery, Forged, Illegible
from connectors.smartvend import parse
from connectors.smartvend.canonical import canonical, value
from domain.errors import BadInput, VendorProtocolError
from domain.facts import Fact, identity_of, recorded
from domain.model import Trust

PublicKey = RSAPublicKey | Ed25519PublicKey | EllipticCurvePublicKey

SHORTEST_RSA = 2048
NOT_BASE64 = re.compile(r"[^A-Za-z0-9+/]")
URL_ALPHABET = str.maketrans("-_", "+/")


def public_keys(account: Account) -> tuple[PublicKey, ...]:
    """Raises ValueError, which names the account and never a key."""
    try:
        return tuple(_public_key(key.reveal()) for key in account.webhook.keys) if account.webhook else ()
    except ValueError as error:
        raise ValueError(f"{account.key}: webhook.public_key {error}") from None


def _public_key(spki: str) -> PublicKey:
    try:
        der = bytes.fromhex(spki)
        key = load_der_public_key(der)
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError("is no public key: SPKI in hex digits is expected") from None
    if isinstance(key, RSAPublicKey):
        return _checked(key, der)
    if isinstance(key, Ed25519PublicKey) or (isinstance(key, EllipticCurvePublicKey) and _is_p256(key)):
        return key
    raise ValueError("is of a kind that is not taken: RSA, Ed25519 or EC P-256 is expected")


def _checked(key: RSAPublicKey, der: bytes) -> RSAPublicKey:
    if key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) != der:  # it is read from other forms, too
        raise ValueError("is an RSA key for another padding, or not in SPKI")
    if key.key_size < SHORTEST_RSA:
        raise ValueError(f"is an RSA key of {key.key_size} bits: {SHORTEST_RSA} is the least")
    return key


def _is_p256(key: EllipticCurvePublicKey) -> bool:
    return isinstance(key.curve, SECP256R1)


def verify(keys: Sequence[PublicKey], delivery: Delivery) -> Any:
    if not keys:
        raise Forged("no public key is configured")
    signature = _signature(delivery.headers.get("x-signature"))
    try:
        signed = canonical(delivery.body)
    except ValueError:
        raise Illegible("the body is no JSON, or nested too deeply") from None
    if not any(_signed_with(key, signature, signed) for key in keys):
        raise Forged("x-signature does not fit")
    return value(signed)


def _signature(header: str | None) -> bytes:
    """As Node reads base64: of either alphabet, past what is in neither, to the first `=`."""
    if header is None:
        raise Forged("x-signature is missing")
    kept = NOT_BASE64.sub("", header.partition("=")[0].translate(URL_ALPHABET))
    try:
        return b64decode(kept + "=" * (-len(kept) % 4))
    except Base64Error:
        raise Forged("x-signature is no base64") from None


def _signed_with(key: PublicKey, signature: bytes, signed: bytes) -> bool:
    try:
        if isinstance(key, RSAPublicKey):
            key.verify(signature, signed, PKCS1v15(), SHA256())
        elif isinstance(key, Ed25519PublicKey):
            key.verify(signature, signed)
        else:
            key.verify(signature, signed, ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


def facts(account: Account, signed: Any, texts: Mapping[str, str]) -> Sequence[Fact]:
    """`texts`: what is known of the dictionary of events."""
    if isinstance(signed, dict) and "saleId" in signed:
        return [_sale(account, signed)]
    if isinstance(signed, dict) and "level" in signed and ("code" in signed or "tag" in signed):
        return [_event(account, signed, texts)]
    raise VendorProtocolError("neither a sale nor an event", account=account.key, vendor=account.vendor.value)


def _sale(account: Account, row: Mapping[str, Any]) -> Fact:
    sale = parse.sale(account, row, Trust.SIGNED)
    return recorded(identity_of(sale.ref), sale, text(row.get("controllerHumanName")))


def _event(account: Account, row: Mapping[str, Any], texts: Mapping[str, str]) -> Fact:
    event = parse.event(account, row, texts, Trust.SIGNED)
    return recorded(identity_of(event.ref), event, text(row.get("controllerHumanName")))


def address(account: Account, machine: str | None) -> str:
    if machine is not None:
        raise BadInput(f"{account.key} has one address for all its machines")
    return ""
