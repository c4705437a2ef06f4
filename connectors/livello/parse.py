"""Livello's JSON as domain values. Money is major units, as numbers or texts; times are ISO 8601 in UTC."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from connectors import again
from connectors.base import Account
from connectors.livello import details
from connectors.livello.paging import Page
from connectors.login import Token, jwt_expiry
from connectors.parsing import (
    ROW_ALONE,
    Raw,
    count,
    iso,
    listing,
    money,
    need,
    number,
    record,
    rows,
    text,
    whole,
    without,
)
from connectors.presence import connectivity
from domain.capabilities import UnavailableField, UnavailableReason
from domain.model import (
    DoorState,
    Location,
    Machine,
    MachineKind,
    Organization,
    Product,
    Slot,
    Temperature,
    Vendor,
    why_absent,
)
from domain.paging import Listing
from domain.refs import Kind, Ref

ONLINE_MINUTES = 15
UNSUPPORTED = frozenset({"model", "group", "door"})
SECRETS = frozenset({"pin", "cardToken"})
UNREADABLE_LOCATION = (UnavailableField(field="location", reason=UnavailableReason.NOT_PERMITTED),)

T = TypeVar("T", Machine, Organization, Product)


def token(account: Account, answer: Any, now: float) -> Token:
    """`now` and the token's end in UNIX seconds."""
    return record(account, "token", answer, lambda row: _token(row, now))


def _token(row: Raw, now: float) -> Token:
    value = need(row.get("access_token"))
    # The same token is told until it ends, with the life that it had at first: its own claim is what counts.
    ends = jwt_expiry(value)
    if ends is None:
        life = number(row.get("expires_in"))
        ends = None if life is None else now + float(life)
    return Token(value, ends, _scope(row.get("scope")))


def _scope(told: Any) -> frozenset[str] | None:
    """An empty scope covers nothing; one that is not told may cover anything."""
    if isinstance(told, list):
        return frozenset(map(str, told))
    return None if told is None else frozenset(str(told).split())


def page(account: Account, what: str, answer: Any, *, at: int, limit: int) -> Page:
    """Lists come as `{total, data}`. Where no total can be read, a page as long as it may be is not the last."""

    def read(row: Raw) -> Page:
        found = list(rows(account, what, row.get("data")))
        total = count(row.get("total"))
        return Page(found, at + len(found) + (len(found) >= limit) if total is None else total)

    return record(account, what, answer, read)


def native_id(row: Raw) -> str | None:
    return text(row.get("id")) or text(row.get("_id"))


def _serial(row: Raw) -> str | None:
    return text(row.get("serialNumber")) or text(row.get("_id"))


def _once(listed: Listing[T], total: int) -> Listing[T]:
    """A row that comes while a list is read pushes another onto the next page, where it is told again; one that goes
    hides another, and then there are fewer than the `total` that was told at first."""
    found = list({item.ref: item for item in listed.items}.values())
    return Listing(found, complete=listed.complete and len(found) >= total)


def machines(account: Account, found: Page, at: datetime, *, located: bool = True) -> Listing[Machine]:
    """`located`: whether the organizations may be read, whose addresses are where kiosks stand."""
    minutes = account.online_minutes or ONLINE_MINUTES
    kiosks = listing(
        account,
        "kiosk",
        found.rows,
        lambda row: _machine(account, row, at, located=located),
        given=located,
        again=lambda known: again.machine_seen(known, at, minutes),
    )
    return _once(kiosks, found.total)


def _machine(account: Account, row: Raw, at: datetime, *, located: bool) -> Machine:
    serial = need(_serial(row))
    seen = iso(row.get("networkLastOnline"))
    organization = text(row.get("orgId"))
    owner = None if organization is None else account.to(Kind.ORGANIZATION, organization)
    celsius = number(row.get("latestTemperature"))
    temperature = None if celsius is None else Temperature(celsius=float(celsius), measured_at=None)
    there = connectivity(seen, at, account.online_minutes or ONLINE_MINUTES)
    hidden = owner is not None and not located
    return Machine(
        ref=account.to(Kind.MACHINE, serial),
        vendor=Vendor.LIVELLO,
        organization_ref=owner,
        place_ref=None if hidden else owner,
        vendor_id=serial,
        serial_number=text(row.get("serialNumber")),
        name=text(row.get("name")) or serial,
        model=None,
        kind=MachineKind.KIOSK,
        group=None,
        location=None,
        connectivity=there,
        last_seen_at=seen,
        door=DoorState.UNKNOWN,
        temperature=temperature,
        unavailable=(
            *why_absent(
                UNSUPPORTED,
                model=None,
                group=None,
                location=owner,
                connectivity=there,
                lastSeenAt=seen,
                door=None,
                temperature=temperature,
            ),
            *(UNREADABLE_LOCATION if hidden else ()),
        ),
        observed_at=at,
        vendor_data=without(row, SECRETS),
    )


def owners(found: Iterable[Any]) -> dict[str, str]:
    """Kiosks' serial numbers and the ids of their organizations, as far as they can be read."""
    pairs = ((_serial(row), text(row.get("orgId"))) for row in found if isinstance(row, dict))
    return {serial: owner for serial, owner in pairs if serial is not None and owner is not None}


def currencies(found: Iterable[Any]) -> dict[str, str | None]:
    """By the ids of organizations, as far as they can be read."""
    pairs = ((native_id(row), currency_code(row.get("currency"))) for row in found if isinstance(row, dict))
    return {native: currency for native, currency in pairs if native is not None}


def organizations(account: Account, found: Page) -> Listing[Organization]:
    """One whose parent is not in the list hangs under the tenant's root, and so does one that is its own ancestor."""
    told = listing(account, "organization", found.rows, lambda row: _organization(account, row))
    parents = {one.ref: one.parent_ref for one in told.items}
    tree = [one if _hangs(one, parents) else replace(one, parent_ref=None) for one in told.items]
    return _once(replace(told, items=tree), found.total)


def _hangs(one: Organization, parents: Mapping[Ref, Ref | None]) -> bool:
    """Whether its parent is to be seen and is none of its own descendants."""
    if one.parent_ref not in parents:
        return False
    above, passed = one.parent_ref, set[Ref]()
    while above is not None and above not in passed:
        if above == one.ref:
            return False
        passed.add(above)
        above = parents.get(above)
    return True


def _organization(account: Account, row: Raw) -> Organization:
    native = need(native_id(row))
    parent = row.get("parentOrg")
    parent = native_id(parent) if isinstance(parent, dict) else text(parent)
    return Organization(
        ref=account.to(Kind.ORGANIZATION, native),
        name=text(row.get("name")) or native,
        parent_ref=None if parent is None else account.to(Kind.ORGANIZATION, parent),
        location=_location(account, row.get("address")),
    )


def _location(account: Account, address: Any) -> Location | None:
    if not isinstance(address, dict):
        return None
    found = {name: text(address.get(key)) for name, key in ADDRESS.items()}
    country = text(address.get("country")) or text(address.get("countryCode"))
    if country is None and not any(found.values()):
        return None
    return Location(**found, country=country, timezone=account.timezone)


ADDRESS = {"address": "address", "city": "city", "postal_code": "postalCode"}


def products(account: Account, found: Page) -> Listing[Product]:
    return _once(
        listing(account, "product", found.rows, lambda row: _product(account, row), given=ROW_ALONE), found.total
    )


def _product(account: Account, row: Raw) -> Product:
    native = need(native_id(row))
    currency = currency_code(row.get("organizationCurrency")) or account.currency
    organization = text(row.get("organizationId"))
    packaging = row.get("packaging")
    ean = text(row.get("ean")) or (text(packaging.get("ean")) if isinstance(packaging, dict) else None)
    return Product(
        ref=account.to(Kind.PRODUCT, native),
        vendor=Vendor.LIVELLO,
        organization_ref=None if organization is None else account.to(Kind.ORGANIZATION, organization),
        vendor_id=native,
        name=text(row.get("name")) or native,
        description=text(row.get("description")),
        manufacturer=text(row.get("manufacturer")),
        category=text(row.get("category")),
        sku=text(row.get("articleNumber")),
        gtin=ean,
        price=money(row.get("price"), currency),
        cost=money(row.get("cost"), currency),
        image_url=details.image(row),
        archived=False,
        vendor_data=without(row, SECRETS),
        packaging=details.packaging(row),
        capacities=details.capacities(row),
        nutrition=details.nutrition(account, row),
        diet=details.diet(account, row),
    )


def currency_code(told: Any) -> str | None:
    """Capitals in answers, small letters in requests."""
    found = text(told)
    return None if found is None else found.upper()


def tells_currencies(found: list[Any]) -> bool:
    """Whether each load cell with a product says in which currency its price is."""
    lines = (row.get("productLineData") for row in found if isinstance(row, dict))
    return all(text(line.get("currency")) is not None for line in lines if isinstance(line, dict))


def slots(account: Account, serial: str, found: list[Any], currency: str | None, at: datetime) -> Sequence[Slot]:
    """`currency` serves where a product line tells none. A load cell that cannot be read is left out."""
    return listing(
        account,
        "load cell",
        found,
        lambda row: _slot(account, serial, row, currency, at),
        given=(serial, currency),
        again=lambda known: again.slot(known, at),
    ).items


def lines_at(found: Iterable[Any], position: str) -> list[Raw]:
    """The product lines at a position: one, but where a load cell has none, or more than one is named so."""
    lines = (row.get("productLineData") for row in found if isinstance(row, dict) and _position(row) == position)
    return [line for line in lines if isinstance(line, dict) and line]


def _position(row: Raw) -> str | None:
    names = (text(row.get(key)) for key in ("planogramPosition", "cellId", "loadCellId"))
    return next(filter(None, names), None)


def _slot(account: Account, serial: str, row: Raw, currency: str | None, at: datetime) -> Slot:
    position = need(_position(row))
    line = row.get("productLineData") or {}
    product = text(line.get("productMetaId"))
    return Slot(
        ref=account.to(Kind.SLOT, f"{serial}/{position}"),
        machine_ref=account.to(Kind.MACHINE, serial),
        position=position,
        row=None,
        column=None,
        product_ref=None if product is None else account.to(Kind.PRODUCT, product),
        price=money(line.get("price"), currency_code(line.get("currency")) or currency),
        quantity=whole(line.get("quantity")),
        capacity=whole(line.get("capacity")),
        observed_at=at,
        vendor_data=without(row, SECRETS),
    )
