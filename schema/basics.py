"""The types that others are made of: money, pages, reasons."""

from datetime import datetime
from decimal import Decimal

import strawberry

from domain.capabilities import Capability, UnavailableReason
from domain.errors import ErrorCode
from schema.edge import attribute as told

VENDOR_DATA = "The vendor's own record, less its secrets: for a look behind the graph, not to build on."
THING_DATA = f"{VENDOR_DATA} For viewers also less whom it names."
PERSONAL = "Null for viewers."
KEPT_BACK = "Which of the fields above are null because the viewer may not know them."
SILENT = "What the vendor does not tell is null."
VENDOR_ID = "The vendor's own id."


@strawberry.interface(description="Anything with an id.")
class Node:
    id: strawberry.ID = told("Opaque, global, and the same after a restart and on every replica.")


@strawberry.type(description="An exact amount of money.")
class Money:
    amount: Decimal = told("In the currency's major unit, such as 2.50 for two euros fifty.")
    currency: str = told("ISO 4217: the vendor's word, or else the account's configuration.")


@strawberry.type(description="Whether a capability is there now, and if not, why.")
class CapabilityStatus:
    capability: Capability = told("Which one.")
    available: bool = told("Whether it can be used now.")
    reason: UnavailableReason | None = told("Why not; null where it can.")


@strawberry.type(description="A field that is null for a reason.")
class UnavailableField:
    field: str = told("The field's name, or a state's that is UNKNOWN.")
    reason: UnavailableReason = told("Why it has no value.")


@strawberry.type(description="Why an account gave less than it should to a list.")
class SourceError:
    code: ErrorCode = told("What went wrong.")
    message: str = told("For a person to read.")
    retry_after_seconds: int | None = told("In how many seconds to try again; null where that is not known.")


@strawberry.type(description="Where a page lies in its list.")
class PageInfo:
    has_next_page: bool = told("Whether there is more after it, or may be, where an account has failed.")
    has_previous_page: bool = told("Whether there is more before it.")
    start_cursor: str | None = told("The cursor of its first edge; null where the page is empty.")
    end_cursor: str | None = told("The cursor to pass as `after` for the next page; null where the page is empty.")


SOURCES = "How each account contributed to this page, so that a missing vendor is seen."
NODES = "The things on this page."
EDGES = "The same, each with its cursor."
TOTAL = "How many there are in all; null where counting would cost requests, or an account is incomplete."
CURSOR = "Its position in the order of this list."


@strawberry.type(description=f"Where something stands. {SILENT}")
class Location:
    name: str | None = told("What the place is called.")
    address: str | None = told("Street and number, or what the vendor keeps as an address.")
    city: str | None = told("The city.")
    postal_code: str | None = told("The postal code.")
    country: str | None = told("The country, by name or code, as the vendor keeps it.")
    timezone: str | None = told("An IANA time zone, such as Europe/Lisbon.")


@strawberry.type(description="A fleet, site or group of machines, whatever the vendor calls it.")
class MachineGroup:
    id: strawberry.ID = told("Stable; not a node.")
    name: str = told("What it is called.")


@strawberry.type(description="A measured temperature.")
class Temperature:
    celsius: float = told("Degrees Celsius.")
    measured_at: datetime | None = told("When it was measured; null where the vendor does not say.")


@strawberry.type(description="A limit that the vendor sets on requests.")
class RateLimit:
    limit: int = told("Requests allowed in the current window.")
    remaining: int = told("Requests left in it.")
    resets_at: datetime = told("When the window ends.")


@strawberry.type(description="What came in from a vendor's webhooks since the gateway was set up.")
class WebhookHealth:
    last_received_at: datetime | None = told("When the last genuine delivery came; null where none has come.")
    accepted: int = told("Deliveries taken in.")
    duplicates: int = told("Deliveries that had come before.")
    rejected: int = told("Deliveries refused: not genuine, or not readable.")
    quarantined: int = told("Genuine deliveries that could not be read: they are kept, and can be replayed.")
