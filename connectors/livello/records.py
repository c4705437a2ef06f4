"""Livello's sales and events as domain values. Money is major units, as numbers or texts; times are ISO 8601 in UTC."""

import re
from collections.abc import Callable, Hashable
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from connectors.base import Account
from connectors.livello.parse import SECRETS, currency_code, native_id
from connectors.parsing import (
    Raw,
    iso,
    money,
    need,
    need_iso,
    number,
    readable,
    record,
    text,
    whole,
    without,
)
from domain.model import EventState, MachineEvent, Severity, Trust, Vendor
from domain.money import Money
from domain.paging import Listing
from domain.refs import Kind
from domain.sales import DispenseOutcome, Payment, PaymentMethod, Person, Sale, SaleKind, SaleLine, SaleStatus
from domain.times import EPOCH

SEVERITIES = {"low": Severity.INFO, "mid": Severity.WARNING, "high": Severity.CRITICAL}
STATES = {"open": EventState.ACTIVE, "raised": EventState.ACTIVE, "resolved": EventState.RESOLVED}
# The documents show MEMBERCARD here, CreditOrDebitCard at the kiosk, and the names of cards in the statistics; the
# others are what such a field may hold. Words are told apart by their letters alone: CREDIT_CARD is creditcard.
METHODS = {
    "membercard": PaymentMethod.MEMBERCARD,
    "creditordebitcard": PaymentMethod.CARD,
    "creditcard": PaymentMethod.CARD,
    "othercreditcard": PaymentMethod.CARD,
    "debitcard": PaymentMethod.CARD,
    "credit": PaymentMethod.CARD,
    "debit": PaymentMethod.CARD,
    "card": PaymentMethod.CARD,
    "girocard": PaymentMethod.CARD,
    "visa": PaymentMethod.CARD,
    "mastercard": PaymentMethod.CARD,
    "cash": PaymentMethod.CASH,
    "account": PaymentMethod.ACCOUNT,
    "other": PaymentMethod.OTHER,
}
NOT_LETTERS = re.compile(r"[\W\d_]+")
MILLISECOND = timedelta(milliseconds=1)

CurrencyOf = Callable[[str | None], str | None]


def sales(account: Account, found: list[Any], currency_of: CurrencyOf, state: Hashable = None) -> Listing[Sale]:
    """`currency_of(serial)`: of the kiosk with that serial number, for transactions tell none. `state`: equal, and not
    None, while it says the same."""
    return readable(account, "transaction", found, lambda row: _sale(account, row, currency_of), given=state)


def sale(account: Account, raw: Any, currency_of: CurrencyOf) -> Sale:
    return record(account, "transaction", raw, lambda row: _sale(account, row, currency_of))


def _sale(account: Account, row: Raw, currency_of: CurrencyOf) -> Sale:
    native = need(native_id(row))
    created = need_iso(row["created"])
    kiosk = row.get("kiosk") or {}
    serial = text(kiosk.get("serialNumber"))
    currency = currency_code(row.get("currency")) or currency_of(serial)
    method = row.get("paymentMethod") or {}
    total = money(row.get("total"), currency)
    return Sale(
        ref=account.to(Kind.SALE, native),
        kind=SaleKind.PURCHASE,
        status=SaleStatus.PENDING if method.get("isPaid") is False else SaleStatus.COMPLETED,
        machine_ref=None if serial is None else account.to(Kind.MACHINE, serial),
        vendor=Vendor.LIVELLO,
        vendor_id=native,
        recorded_at=created,
        occurred_at=created,
        total=total,
        tax=None,
        discount=money(row.get("discountTotal"), currency),
        payments=_payments(method, total),
        lines=tuple(_line(account, line, currency) for line in row.get("itemsPurchased") or ()),
        person=_person(row.get("userId")),
        trust=Trust.POLLED,
        vendor_data=without(row, SECRETS),
    )


def _payments(method: Raw, total: Money | None) -> tuple[Payment, ...]:
    if not method:
        return ()
    return (
        Payment(
            method=METHODS.get(letters(text(method.get("paymentType")) or ""), PaymentMethod.UNKNOWN),
            amount=total,
            card_brand=text(method.get("cardType")),
            reference=text(method.get("externalTransactionId")) or text(method.get("membercardId")),
        ),
    )


@lru_cache(maxsize=256)
def letters(word: str) -> str:
    return NOT_LETTERS.sub("", word).casefold()


def _person(user: Any) -> Person | None:
    """0 is nobody."""
    found = text(user)
    return None if found in (None, "0") else Person(vendor_id=found, name=None)


def _line(account: Account, row: Raw, currency: str | None) -> SaleLine:
    product = text(row.get("productMetaId"))
    price = money(row.get("price"), currency)
    told = whole(row.get("quantity"))
    quantity = 1 if told is None else told  # what is listed was taken, and items are single things to this vendor
    return SaleLine(
        product_ref=None if product is None else account.to(Kind.PRODUCT, product),
        product_name=text(row.get("name")) or "",
        position=text(row.get("planogramPosition")),
        quantity=quantity,
        unit_price=price,
        total=None if price is None else Money(price.amount * quantity, price.currency),
        tax=None,
        tax_rate=number(row.get("taxRate")),
        dispensed=DispenseOutcome.DISPENSED,
    )


def events(account: Account, found: list[Any]) -> Listing[MachineEvent]:
    return readable(account, "alert", found, lambda row: _event(account, row))


def alert_of(native: str) -> tuple[str, datetime | None]:
    """The vendor's id within an event's native id, and when it was recorded: no single alert can be asked for.

    None where that never was the id of an event."""
    alert, _, recorded = native.rpartition("@")
    try:
        return alert, EPOCH + int(recorded) * MILLISECOND if alert and recorded.isdecimal() else None
    except (ValueError, OverflowError):
        return alert, None


def _event(account: Account, row: Raw) -> MachineEvent:
    native = need(native_id(row))
    created = need_iso(row.get("createdAt") or row.get("startDate"))
    serial = text(row.get("kioskSerialNumber"))
    code = text(row.get("type")) or ""
    return MachineEvent(
        ref=account.to(Kind.EVENT, f"{native}@{(created - EPOCH) // MILLISECOND}"),
        machine_ref=None if serial is None else account.to(Kind.MACHINE, serial),
        vendor=Vendor.LIVELLO,
        vendor_id=native,
        code=code,
        message=text(row.get("message")) or code,
        severity=SEVERITIES.get((text(row.get("severity")) or "").casefold(), Severity.WARNING),
        state=STATES.get((text(row.get("status")) or "").casefold(), EventState.UNKNOWN),
        source=None,
        recorded_at=created,
        occurred_at=iso(row.get("startDate")) or created,
        trust=Trust.POLLED,
        vendor_data=without(row, SECRETS),
    )
