"""What can go wrong, in our words. Each class says whose fault it is and whether trying again can help.

VendgraphError
├── BadInput             the caller's: another input is needed
├── Unauthenticated      the caller's: no key, or a wrong one
├── Forbidden            the caller's: the key's role does not allow it
├── NotFound             the caller's: there is no such thing, or it is not theirs
├── Conflict             the caller's: what was asked before stands against it
├── Unsupported          the caller's: neither this vendor nor this machine can do it
├── RateLimited          the caller's: more than it may ask for; later it may again
├── QueryTooComplex      the gateway's: it is more than is answered at once
├── UnknownDocument      nobody's: the document is to be sent in full
└── VendorError          the vendor's
    ├── VendorUnavailable    down, unreachable or too slow; trying again later can help
    ├── VendorRateLimited    the budget is spent; trying again after `retry_after` helps
    ├── VendorRejected       it understood and refused; trying again does not help
    │   └── VendorConflict   what is there by now stands against it
    ├── VendorUnauthorized   it refused the account's credentials
    │   └── VendorForbidden  it accepted them, but they do not cover this
    └── VendorProtocolError  its answer could not be read
"""

from enum import Enum
from typing import Any

from domain.capabilities import UnavailableReason
from domain.refs import Ref


class ErrorCode(Enum):
    BAD_INPUT = "BAD_INPUT"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    FORBIDDEN = "FORBIDDEN"
    NOT_FOUND = "NOT_FOUND"
    CONFLICT = "CONFLICT"
    UNSUPPORTED = "UNSUPPORTED"
    VENDOR_UNAVAILABLE = "VENDOR_UNAVAILABLE"
    VENDOR_RATE_LIMITED = "VENDOR_RATE_LIMITED"
    VENDOR_REJECTED = "VENDOR_REJECTED"
    VENDOR_UNAUTHORIZED = "VENDOR_UNAUTHORIZED"
    VENDOR_PROTOCOL = "VENDOR_PROTOCOL"
    QUERY_TOO_COMPLEX = "QUERY_TOO_COMPLEX"
    RATE_LIMITED = "RATE_LIMITED"
    PERSISTED_QUERY_NOT_FOUND = "PERSISTED_QUERY_NOT_FOUND"
    INTERNAL = "INTERNAL"


class VendgraphError(Exception):
    """The message is for the caller: never a secret, never a vendor's address."""

    code = ErrorCode.INTERNAL

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class BadInput(VendgraphError):
    """`field`: the path to what is wrong in a mutation's arguments, where that is known."""

    code = ErrorCode.BAD_INPUT

    def __init__(self, message: str, *field: str) -> None:
        super().__init__(message)
        self.field = field


class Unauthenticated(VendgraphError):
    code = ErrorCode.UNAUTHENTICATED


class Forbidden(VendgraphError):
    code = ErrorCode.FORBIDDEN


class NotFound(VendgraphError):
    code = ErrorCode.NOT_FOUND


class Conflict(VendgraphError):
    code = ErrorCode.CONFLICT


class Unsupported(VendgraphError):
    """`reason`: as the graph's `capabilities` tell it."""

    code = ErrorCode.UNSUPPORTED

    def __init__(self, message: str, reason: UnavailableReason | None = None) -> None:
        super().__init__(message)
        self.reason = reason


class RateLimited(VendgraphError):
    """`retry_after`: in seconds, where it is known."""

    code = ErrorCode.RATE_LIMITED

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class QueryTooComplex(VendgraphError):
    code = ErrorCode.QUERY_TOO_COMPLEX


class UnknownDocument(VendgraphError):
    """The message is what Apollo's clients look for, to send the document itself then."""

    code = ErrorCode.PERSISTED_QUERY_NOT_FOUND

    def __init__(self) -> None:
        super().__init__("PersistedQueryNotFound")


class VendorError(VendgraphError):
    """`account` is the account's key, `vendor` the vendor's name in lower case, `retry_after` in seconds.

    `sent` is False only where it is proven that the vendor got nothing to act on; `transient` where it may
    well go better at once."""

    code = ErrorCode.VENDOR_UNAVAILABLE

    def __init__(
        self,
        message: str,
        *,
        account: str,
        vendor: str,
        retry_after: float | None = None,
        sent: bool = True,
        transient: bool = False,
    ) -> None:
        super().__init__(message)
        self.account = account
        self.vendor = vendor
        self.retry_after = retry_after
        self.sent = sent
        self.transient = transient


class VendorUnavailable(VendorError):
    code = ErrorCode.VENDOR_UNAVAILABLE


class VendorRateLimited(VendorError):
    code = ErrorCode.VENDOR_RATE_LIMITED


class VendorRejected(VendorError):
    """`missing`: there is no such thing there."""

    code = ErrorCode.VENDOR_REJECTED
    missing = False


class VendorConflict(VendorRejected):
    """`current`: the vendor's record as it is by now, where it was read and is nothing personal; `subject`: what it is
    the record of."""

    code = ErrorCode.CONFLICT

    def __init__(
        self,
        message: str,
        *,
        account: str,
        vendor: str,
        sent: bool = True,
        current: Any = None,
        subject: Ref | None = None,
    ) -> None:
        super().__init__(message, account=account, vendor=vendor, sent=sent)
        self.current = current
        self.subject = subject


class VendorUnauthorized(VendorError):
    code = ErrorCode.VENDOR_UNAUTHORIZED


class VendorForbidden(VendorUnauthorized):
    pass


class VendorProtocolError(VendorError):
    code = ErrorCode.VENDOR_PROTOCOL
