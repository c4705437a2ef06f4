"""VendNovation's JSON as domain values. Money is major units; times have no offset and are UTC; ids are text or int."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from connectors import again
from connectors.base import Account
from connectors.parsing import ROW_ALONE, Raw, iso, listing, money, need, text, truth, whole, without
from connectors.presence import connectivity
from connectors.vendnovation.timezones import iana
from domain.model import (
    DoorState,
    Location,
    Machine,
    MachineGroup,
    MachineKind,
    Organization,
    Place,
    Product,
    Slot,
    Vendor,
    why_absent,
)
from domain.paging import Listing
from domain.refs import Kind, Ref

ONLINE_MINUTES = 60
UNSUPPORTED = frozenset({"temperature", "door"})
SECRETS = frozenset({"cardToken", "authorizationNumber", "callInCode"})
NOTHING = frozenset({None, "-1", "0"})  # a product that is none


def machines(account: Account, found: Sequence[Any], at: datetime) -> Listing[Machine]:
    minutes = account.online_minutes or ONLINE_MINUTES
    return listing(
        account,
        "machine",
        found,
        lambda row: _machine(account, row, at),
        given=ROW_ALONE,
        again=lambda known: again.machine_seen(known, at, minutes),
    )


def _machine(account: Account, row: Raw, at: datetime) -> Machine:
    native = need(row["id"])
    prose = text(row.get("prose"))
    seen = iso((row.get("lastHeartBeat") or {}).get("server"))
    site, organization = text(row.get("siteId")), text(row.get("organizationId"))
    place = None if site is None else account.to(Kind.PLACE, site)
    there = connectivity(seen, at, account.online_minutes or ONLINE_MINUTES)
    return Machine(
        ref=account.to(Kind.MACHINE, native),
        vendor=Vendor.VENDNOVATION,
        organization_ref=None if organization is None else account.to(Kind.ORGANIZATION, organization),
        place_ref=place,
        vendor_id=native,
        serial_number=prose,
        name=text(row.get("name")) or prose or native,
        model=text(row.get("modelNumber")),
        kind=MachineKind.OTHER,
        group=None,
        location=None,
        connectivity=there,
        last_seen_at=seen,
        door=DoorState.UNKNOWN,
        temperature=None,
        unavailable=why_absent(
            UNSUPPORTED,
            serialNumber=prose,
            model=text(row.get("modelNumber")),
            group=place,
            location=place,
            connectivity=there,
            lastSeenAt=seen,
            door=None,
            temperature=None,
        ),
        observed_at=at,
        vendor_data=without(row, SECRETS),
        counts_stock=truth(row.get("enableSlotCountTracking")),
    )


def organizations(account: Account, found: Sequence[Any]) -> Listing[Organization]:
    def read(row: Raw) -> Organization:
        native = need(row["id"])
        return Organization(
            ref=account.to(Kind.ORGANIZATION, native), name=text(row.get("name")) or native, parent_ref=None
        )

    return listing(account, "organization", found, read, given=ROW_ALONE)


def places(account: Account, found: Sequence[Any]) -> Listing[Place]:
    return listing(account, "site", found, lambda row: _place(account, row), given=ROW_ALONE)


def _place(account: Account, row: Raw) -> Place:
    ref = account.to(Kind.PLACE, need(row["id"]))
    name = text(row.get("name"))
    return Place(
        ref=ref,
        group=MachineGroup(id=ref.text, name=name or ref.native),
        location=_location(name, row.get("address"), iana(text(row.get("timeZone")))),
    )


def _location(name: str | None, address: Any, timezone: str | None) -> Location:
    if not isinstance(address, dict):
        return Location(name=name, address=text(address), timezone=timezone)
    lower = {key.casefold(): value for key, value in address.items()}

    def first(*keys: str) -> str | None:
        return next((found for key in keys if (found := text(lower.get(key))) is not None), None)

    return Location(
        name=name,
        address=first("address", "address1", "street", "line1"),
        city=first("city"),
        postal_code=first("postalcode", "zip", "zipcode"),
        country=first("country", "countrycode"),
        timezone=timezone,
    )


def products(account: Account, found: Sequence[Any]) -> Listing[Product]:
    return listing(account, "product", found, lambda row: _product(account, row), given=ROW_ALONE)


def _product(account: Account, row: Raw) -> Product:
    native = need(row["id"])
    return Product(
        ref=account.to(Kind.PRODUCT, native),
        vendor=Vendor.VENDNOVATION,
        organization_ref=None,
        vendor_id=native,
        name=text(row.get("name")) or native,
        description=text(row.get("description")),
        manufacturer=text(row.get("manufacturer")),
        category=text(row.get("category")),
        sku=None,
        gtin=text(row.get("upc")),
        price=money(row.get("price"), account.currency),
        cost=money(row.get("cost"), account.currency),
        image_url=None,
        archived=row.get("isActive") is False,
        vendor_data=without(row, SECRETS),
    )


def by_machine(found: Iterable[Any]) -> Mapping[str, list[Any]]:
    """Selections by the id of their machine, unread."""
    groups: dict[str, list[Any]] = {}
    for row in found:
        machine = text(row.get("machineId")) if isinstance(row, dict) else None
        if machine is not None:
            groups.setdefault(machine, []).append(row)
    return groups


def slots(account: Account, found: Sequence[Any], at: datetime) -> Sequence[Slot]:
    return listing(
        account,
        "selection",
        found,
        lambda row: _slot(account, row, at),
        given=ROW_ALONE,
        again=lambda known: again.slot(known, at),
    ).items


def _slot(account: Account, row: Raw, at: datetime) -> Slot:
    machine = need(row["machineId"])
    return Slot(
        ref=account.to(Kind.SLOT, f"{machine}/{need(row['id'])}"),
        machine_ref=account.to(Kind.MACHINE, machine),
        position=need(row.get("selectionNumber") or row.get("friendlyNumber")),
        row=None,
        column=None,
        product_ref=product_ref_of(account, row),
        price=money(row.get("price"), account.currency),
        quantity=whole(row.get("count")),
        capacity=whole(row.get("depth")),
        observed_at=at,
        vendor_data=without(row, SECRETS),
    )


def product_of(row: Raw) -> str | None:
    product = text(row.get("productId"))
    return None if product in NOTHING else product


def product_ref_of(account: Account, row: Raw) -> Ref | None:
    product = product_of(row)
    return None if product is None else account.to(Kind.PRODUCT, product)
