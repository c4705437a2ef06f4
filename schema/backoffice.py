"""What some vendors keep beside machines and sales, and the fields of other types that lead there."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from domain.model import Connectivity, Severity
from resolvers import backoffice
from resolvers.privacy import of_thing
from schema.basics import SILENT, THING_DATA, VENDOR_ID, Money
from schema.edge import attribute as told
from schema.edge import edge
from schema.scalars import JSON

if TYPE_CHECKING:
    from schema.types import Machine, Product

FROM, TO = "From this time on.", "Up to this time, exclusive: at most {} days after `from`."


@strawberry.type(description=f"A kind of event that a vendor knows of. {SILENT}")
class EventType:
    code: str = told("What the `code` of its events is.")
    category: str | None = told("As the vendor sorts it.")
    severity: Severity | None = told(
        "How much its events matter, unless they say otherwise; null where it is not told."
    )
    description: str | None = told("What it means, for a person to read.")


@strawberry.type(description="A customer of the operator's, at whose sites machines stand.")
class CustomerAccount:
    vendor_id: str = told(VENDOR_ID)
    name: str = told("What it is called.")


@strawberry.type(description="How many of a product were handed out.")
class ProductCount:
    product: Annotated["Product", strawberry.lazy("schema.types")] | None = edge(
        backoffice.product, description="Which product; null for all that are of no known product together."
    )
    sold: int = told("How many, as the vendor counts them: those that were handed out.")


@strawberry.type(description=f"A note to a sale or to one of its lines. {SILENT}")
class MetadataTag:
    key: str = told("What it is about, as the operator named it.")
    value: str | None = told("What it says.")


@strawberry.type(description=f"A file that goes with a sale. Its content cannot be had from the vendor. {SILENT}")
class MetadataFile:
    vendor_id: str = told(VENDOR_ID)
    type: str | None = told("What sort of file it is, in the vendor's word.")
    description: str | None = told("What it shows.")
    created_at: datetime | None = told("When it was made.")


@strawberry.type(description=f"What goes with one line of a sale. {SILENT}")
class SaleLineMetadata:
    vendor_id: str = told("The vendor's own id of the line.")
    recorded_at: datetime | None = told("When the vendor's server recorded that it was handed out.")
    occurred_at: datetime | None = told("When it was handed out at the machine.")
    tags: list[MetadataTag] = told("Notes to it.")
    files: list[MetadataFile] = told("Files that go with it.")


@strawberry.type(description="What goes with a sale beside its goods and its payment.")
class SaleMetadata:
    tags: list[MetadataTag] = told("Notes to all of it.")
    files: list[MetadataFile] = told("Files that go with all of it.")
    lines: list[SaleLineMetadata] = told("What goes with its lines.")


@strawberry.type(description=f"Something that somebody did during a service session. {SILENT}")
class ServiceSessionEvent:
    vendor_id: str = told(VENDOR_ID)
    kind: str | None = told("What it was, in the vendor's word.")
    at: datetime = told("When.")
    details: str | None = told("What more the vendor keeps of it.")


@strawberry.type(
    description=f"Somebody who works for the operator, at a machine or in the vendor's application. {SILENT}"
)
class ServiceSession:
    machine: Annotated["Machine", strawberry.lazy("schema.types")] | None = edge(
        backoffice.session_machine, description="At which machine; null where it was at none, or that is gone."
    )
    vendor_id: str = told(VENDOR_ID)
    started_at: datetime = told("When it began.")
    ended_at: datetime | None = told("When it ended; null also while it goes on.")
    login: str | None = told("By which name they signed in.")
    reason: str | None = told("What they came for.")
    login_succeeded: bool | None = told("Whether they were let in.")
    abandoned: bool | None = told("Whether they went without signing out.")
    source: str | None = told("Whether it was at a machine or in the application, in the vendor's word.")
    events: list[ServiceSessionEvent] = edge(backoffice.session_events, description="What they did, oldest first.")


@strawberry.type(description=f"Whom to ask at a machine's owner. {SILENT}")
class ContactPerson:
    name: str | None = told("Their name.")
    role: str | None = told("What they are there.")
    email: str | None = told("Their e-mail address.")
    phone: str | None = told("Their telephone number.")
    support_email: str | None = told("The e-mail address of the support.")
    support_phone: str | None = told("The telephone number of the support.")


@strawberry.type(description=f"Where a machine's customers find help. {SILENT}")
class CustomerSupport:
    email: str | None = told("An e-mail address.")
    hotline: str | None = told("A telephone number.")
    availability: str | None = told("When somebody is there.")


@strawberry.type(
    description=f"The vendor's organization that owns a machine, as its customers are told of it. {SILENT}"
)
class MachineOwner:
    vendor_id: str | None = told(VENDOR_ID)
    name: str | None = told("What it is called.")
    currency: str | None = told("In which currency it sells; ISO 4217.")
    support: CustomerSupport | None = told("Where its customers find help.")
    contact: ContactPerson | None = edge(
        backoffice.contact, description="Whom to ask there; null also for viewers, for it is a person."
    )


@strawberry.type(description=f"How a machine meets its customers. {SILENT}")
class MachineTerminal:
    language: str | None = told("The language of its screen, as the vendor writes it.")
    font: str | None = told("The font of its screen.")
    payment_type: str | None = told("How it is paid, in the vendor's word.")
    preauthorized: Money | None = told("What is held on a card before the door opens.")
    minimum_age: int | None = told("How old customers have to be, in years.")
    owner: MachineOwner | None = told("Who answers for it.")
    observed_at: datetime = told("When the vendor told us.")
    vendor_data: JSON | None = edge(of_thing, description=THING_DATA)


@strawberry.type
class AccountBackoffice:
    """Fields of an account."""

    event_types: list[EventType] | None = edge(
        backoffice.event_types, description="The kinds of events that there are; null where the vendor does not tell."
    )
    customer_accounts: list[CustomerAccount] | None = edge(
        backoffice.customer_accounts,
        description="The operator's customers, at whose sites machines stand; null where the vendor knows of none.",
    )
    products_sold: list[ProductCount] | None = edge(
        backoffice.products_sold,
        description="How many of each product were handed out, as the vendor counts them, most first; null where it "
        "does not.",
        from_=FROM,
        to=TO.format(366),
    )
    service_sessions: list[ServiceSession] | None = edge(
        backoffice.sessions,
        description="Who worked at its machines or in the vendor's application, newest first; null where the vendor "
        "does not tell. For operators and admins.",
        from_=FROM,
        to=TO.format(31),
    )


@strawberry.type
class MachineBackoffice:
    """Fields of a machine."""

    connectivity_now: Connectivity | None = edge(
        backoffice.connectivity,
        description="Whether the vendor reaches it at this moment: it is asked for this machine alone. Null where the "
        "vendor has no such question, and `connectivity` is all that it tells.",
    )
    terminal: MachineTerminal | None = edge(
        backoffice.terminal,
        description="How it meets its customers, asked for by itself. Null where the vendor does not tell.",
    )
    service_sessions: list[ServiceSession] | None = edge(
        backoffice.sessions_of,
        description="Who worked at it, newest first; null where the vendor does not tell. For operators and admins.",
        from_=FROM,
        to=TO.format(31),
    )


@strawberry.type
class SaleBackoffice:
    """Fields of a sale."""

    metadata: SaleMetadata | None = edge(
        backoffice.metadata,
        description="Notes and files that go with it; null where the vendor keeps none. For operators and admins: it "
        "may tell of people.",
    )


@strawberry.type
class EventBackoffice:
    """Fields of an event."""

    type: EventType | None = edge(
        backoffice.event_type, description="What the vendor tells of its kind; null where it tells nothing."
    )
