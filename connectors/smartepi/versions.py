"""A SmartEPI record with its version, which only the record by itself tells: changes are made against it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connectors.http import Answer, VendorHTTP
from domain.errors import VendorConflict, VendorProtocolError, VendorRejected

CHANGED = "urn:smartepi:error:conflict"
CONFLICTS = frozenset({CHANGED, "urn:smartepi:error:resource_in_use"})
DUPLICATE = "urn:smartepi:error:duplicate"  # what the types of duplicates begin with, or are


@dataclass(frozen=True, slots=True)
class Versioned:
    """`etag`: with its quotes, as it is sent back."""

    record: Mapping[str, Any]
    etag: str


async def current(http: VendorHTTP, operation: str, native: str) -> Versioned:
    """Raises VendorRejected where there is none such."""
    answer = await http.send(operation, path={"id": native})
    etag = answer.headers.get("etag")
    if not etag:
        raise illegible(http, operation, "has no ETag")
    return Versioned(data(http, operation, answer), etag)


def data(http: VendorHTTP, operation: str, answer: Answer) -> Mapping[str, Any]:
    """What is inside of the envelope."""
    found = answer.data.get("data") if isinstance(answer.data, dict) else None
    if not isinstance(found, dict):
        raise illegible(http, operation, "holds no record")
    return found


def illegible(http: VendorHTTP, operation: str, why: str) -> VendorProtocolError:
    return VendorProtocolError(f"smartepi's answer to {operation} {why}", account=http.account.key, vendor="smartepi")


def conflict(error: VendorRejected) -> VendorConflict | None:
    """Where what is there stands against it: by the type, for the status is the same for all."""
    kind = error.problem or ""
    if kind not in CONFLICTS and not kind.startswith(DUPLICATE):
        return None
    return VendorConflict(error.message, account=error.account, vendor=error.vendor)
