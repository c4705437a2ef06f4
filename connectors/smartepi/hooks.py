"""SmartEPI's webhooks: an envelope around the record that the lists give, signed together with the time.

`X-SmartEPI-Signature: t=<UNIX seconds>,v1=<hex>`. The documents break off before they say what is hashed, and how:
that is configured, and assumed to be `<t>.<body>` under HMAC-SHA256 with the whole text of the secret."""

import hmac
import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connectors.base import Account, Secret
from connectors.deliveries import digest, read
from connectors.parsing import record, text, unix
from connectors.reporting import Delivery, Forged, Illegible
from connectors.smartepi import parse
from domain.errors import BadInput, VendorProtocolError
from domain.facts import Fact, identity_of, recorded
from domain.model import EventState, MachineEvent, Severity, Trust, Vendor
from domain.refs import Kind

HEADER = "x-smartepi-signature"
RECIPE = "{t}.{body}"
PREFIX = "whsec_"
SECONDS = re.compile(r"[0-9]{1,12}")
TEST = "webhook.test"
CREATED = {
    "withdrawal.created": parse.WITHDRAWALS,
    "return.created": parse.RETURNS,
    "exchange.created": parse.EXCHANGES,
}
MESSAGES = {"training_record.created": "A training was recorded"}
LONGEST_TYPE = 100


@dataclass(frozen=True, slots=True)
class Signing:
    """`before` and `after` are what the recipe puts around the body; they may hold `{t}`."""

    keys: Sequence[bytes]
    before: str
    after: str
    tolerance: float

    def signature(self, key: bytes, signed_at: str, body: bytes) -> bytes:
        around = (part.replace("{t}", signed_at).encode() for part in (self.before, self.after))
        return hmac.digest(key, body.join(around), "sha256").hex().encode()


def signing(account: Account) -> Signing | None:
    """Raises ValueError, which names the account and never a secret."""
    webhook = account.webhook
    if webhook is None:
        return None
    before, body, after = (webhook.recipe or RECIPE).partition("{body}")
    if not body or "{body}" in after:
        raise ValueError(f"{account.key}: webhook.recipe must hold {{body}}, once")
    keys = [_key(account, secret, webhook.encoding) for secret in webhook.keys]
    return Signing(keys, before, after, webhook.tolerance)


def _key(account: Account, secret: Secret, encoding: str) -> bytes:
    whole = secret.reveal()
    if encoding == "text":
        return whole.encode()
    digits = whole.removeprefix(PREFIX)
    try:
        return b64decode(digits + "=" * (-len(digits) % 4), validate=True)
    except (Base64Error, ValueError):
        raise ValueError(f"{account.key}: webhook.secret is no base64") from None


def verify(signing: Signing | None, delivery: Delivery) -> Any:
    """None for a body that is genuine and no JSON, such as an empty one."""
    if signing is None:
        raise Forged("no secret is configured")
    signed_at, signatures = _parts(delivery.headers.get(HEADER, ""))
    good = [signing.signature(key, signed_at, delivery.body) for key in signing.keys]
    if not any(hmac.compare_digest(one, other) for one in good for other in signatures):
        raise Forged(f"{HEADER} does not fit")
    if abs(delivery.received_at.timestamp() - int(signed_at)) > signing.tolerance:
        raise Forged(f"{HEADER} is of another time")
    return _read(delivery.body)


def _parts(header: str) -> tuple[str, Sequence[bytes]]:
    """The last time, and all the signatures; parts by any other name are for others."""
    pairs = [part.partition("=") for part in header.split(",")]
    times = [value for name, _, value in pairs if name == "t"]
    if not times or not SECONDS.fullmatch(times[-1]):
        raise Forged(f"{HEADER} tells no time")
    return times[-1], [value.encode() for name, _, value in pairs if name == "v1"]


def _read(body: bytes) -> Any:
    try:
        return read(body)
    except UnicodeDecodeError:
        raise Illegible("the body is not in UTF-8") from None
    except ValueError:
        return None


def facts(account: Account, signed: Any, received_at: datetime) -> Sequence[Fact]:
    kind = text(signed.get("type")) if isinstance(signed, dict) else None
    if kind is None or len(kind) > LONGEST_TYPE:
        raise VendorProtocolError("no event with a type", account=account.key, vendor=account.vendor.value)
    if kind == TEST:
        return []
    if kind in CREATED:
        return [_sale(account, CREATED[kind], signed)]
    return [_event(account, kind, signed, received_at)]


def _sale(account: Account, transaction: parse.Transaction, envelope: Mapping[str, Any]) -> Fact:
    """What the lists give, identified as they do."""
    row = envelope.get("data")
    if isinstance(row, dict) and row.get("createdAt") is None:
        row = {**row, "createdAt": envelope.get("createdAt")}
    sale = parse.sale(account, transaction, row, Trust.SIGNED)
    name = text(row.get("deviceName")) if isinstance(row, dict) else None
    return recorded(identity_of(sale.ref), sale, name)


def _event(account: Account, kind: str, envelope: Mapping[str, Any], received_at: datetime) -> Fact:
    """A training, or what the vendor has come to report since: it is kept, in its own words."""
    event = record(account, "event", envelope, lambda row: _told(account, kind, row, received_at))
    return recorded(identity_of(event.ref), event)


def _told(account: Account, kind: str, row: Mapping[str, Any], received_at: datetime) -> MachineEvent:
    native = text(row.get("id")) or digest(row)
    created = unix(row["createdAt"]) if row.get("createdAt") is not None else received_at
    return MachineEvent(
        ref=account.to(Kind.EVENT, native),
        machine_ref=None,
        vendor=Vendor.SMARTEPI,
        vendor_id=native,
        code=kind,
        message=MESSAGES.get(kind, f"{kind} was reported"),
        severity=Severity.INFO,
        state=EventState.UNKNOWN,
        source=None,
        recorded_at=created,
        occurred_at=created,
        trust=Trust.SIGNED,
        vendor_data=row,
    )


def address(account: Account, machine: str | None) -> str:
    if machine is not None:
        raise BadInput(f"{account.key} has one address for all its machines")
    return ""
