"""VendNovation's sales and events as domain values. Money is major units; times have no offset and are UTC."""

from decimal import Decimal
from typing import Any

from connectors.base import Account
from connectors.parsing import Raw, iso, money, need, need_iso, number, record, text, whole, without, word
from connectors.vendnovation.parse import SECRETS, product_ref_of
from domain.model import EventState, MachineEvent, Severity, Trust, Vendor
from domain.money import Money
from domain.refs import Kind
from domain.sales import DispenseOutcome, Payment, PaymentMethod, Person, Sale, SaleKind, SaleLine, SaleStatus

METHODS = {
    "credit": PaymentMethod.CARD,
    "cash": PaymentMethod.CASH,
    "account": PaymentMethod.ACCOUNT,
    "a": PaymentMethod.ACCOUNT,  # as the documented sample abbreviates it
}
PAYMENT_STATES = {
    "authorized": SaleStatus.PENDING,
    "charged": SaleStatus.COMPLETED,
    "void": SaleStatus.REFUNDED,
    "error": SaleStatus.FAILED,
}
VENDED = {True: DispenseOutcome.DISPENSED, False: DispenseOutcome.FAILED}
CLEARED = {True: EventState.RESOLVED, False: EventState.ACTIVE}
REFERENCES = ("referenceNumber1", "referenceNumber2", "invoiceNumber")


def sale(account: Account, raw: Any) -> Sale:
    return record(account, "transaction", raw, lambda row: _sale(account, row))


def _sale(account: Account, row: Raw) -> Sale:
    native = need(row["id"])
    recorded = need_iso(row["recordedAtUtc"])
    lines = row.get("lineItems") or ()
    payment = row.get("paymentInformation") or {}
    machine = text(row.get("machineId"))
    occurred = [at for at in (iso(line.get("occurredAtUtc")) for line in lines) if at is not None]
    return Sale(
        ref=account.to(Kind.SALE, f"{native}@{int(recorded.timestamp() * 1000)}"),
        kind=SaleKind.PURCHASE,
        status=_status(payment, [line.get("vendWasSuccessful") for line in lines]),
        machine_ref=None if machine is None else account.to(Kind.MACHINE, machine),
        vendor=Vendor.VENDNOVATION,
        vendor_id=native,
        recorded_at=recorded,
        occurred_at=min(occurred, default=recorded),
        total=money(row.get("totalPrice"), account.currency),
        tax=money(row.get("totalTax"), account.currency),
        discount=None,
        payments=_payments(account, row, payment),
        lines=tuple(_line(account, line) for line in lines),
        person=_person(payment.get("accountInformation")),
        trust=Trust.POLLED,
        vendor_data=without(row, SECRETS),
    )


def _status(payment: Raw, vends: list[Any]) -> SaleStatus:
    """What the payment came to, unless less was handed out than was paid for."""
    told = text((payment.get("creditInformation") or {}).get("paymentStatus"))
    paid = SaleStatus.COMPLETED
    if told is not None:
        paid = PAYMENT_STATES.get(told.strip().casefold(), SaleStatus.UNKNOWN)
    if paid in (SaleStatus.REFUNDED, SaleStatus.FAILED) or False not in vends:
        return paid
    return SaleStatus.FAILED if all(vend is False for vend in vends) else SaleStatus.PARTIAL


def _payments(account: Account, row: Raw, payment: Raw) -> tuple[Payment, ...]:
    if not payment:
        return ()
    credit = payment.get("creditInformation") or {}
    return (
        Payment(
            method=_method(payment, credit),
            amount=money(row.get("totalPrice"), account.currency),
            reference=next((found for name in REFERENCES if (found := text(credit.get(name)))), None),
        ),
    )


def _method(payment: Raw, credit: Raw) -> PaymentMethod:
    """A letter, padded, may stand for the word. C could be either of two, but credit always comes with details."""
    kind = (text(payment.get("type")) or "").strip().casefold()
    if kind == "c":
        return PaymentMethod.CARD if any(map(text, credit.values())) else PaymentMethod.CASH
    return METHODS.get(kind, PaymentMethod.UNKNOWN)


def _person(holder: Any) -> Person | None:
    if not isinstance(holder, dict):
        return None
    number_, name = text(holder.get("accountNumber")), text(holder.get("nameOnAccount"))
    return None if number_ is None and name is None else Person(vendor_id=number_, name=name)


def _line(account: Account, row: Raw) -> SaleLine:
    quantity = whole(row.get("quantity"))
    quantity = 1 if quantity is None else quantity  # the model of a line has no quantity: then it is one vend
    total = money(row.get("totalPrice"), account.currency)
    return SaleLine(
        product_ref=product_ref_of(account, row),
        product_name=text(row.get("productName")) or "",
        position=text(row.get("selection")),
        quantity=quantity,
        unit_price=money(row.get("unitPrice"), account.currency) or _unit(total, quantity),
        total=total,
        tax=money(row.get("taxCharged"), account.currency),
        tax_rate=number(row.get("taxRate")),
        dispensed=word(VENDED, row.get("vendWasSuccessful"), DispenseOutcome.UNKNOWN),
    )


def _unit(total: Money | None, quantity: int) -> Money | None:
    """The price of one, where it comes out even to a hundredth of a cent."""
    if total is None or quantity < 1:
        return None
    one = (total.amount / quantity).quantize(Decimal("0.0001"))
    return Money(one, total.currency) if one * quantity == total.amount else None


def event(account: Account, raw: Any) -> MachineEvent:
    return record(account, "alert", raw, lambda row: _event(account, row))


def _event(account: Account, row: Raw) -> MachineEvent:
    native = need(row["id"])
    raised = need_iso(row["raisedAt"])
    machine = text(row.get("machineId"))
    code = text(row.get("code")) or ""
    return MachineEvent(
        ref=account.to(Kind.EVENT, f"{native}@{int(raised.timestamp() * 1000)}"),
        machine_ref=None if machine is None else account.to(Kind.MACHINE, machine),
        vendor=Vendor.VENDNOVATION,
        vendor_id=native,
        code=code,
        message=text(row.get("message")) or code,
        severity=Severity.WARNING,  # the vendor does not rank its alerts
        state=_state(row),
        source=None,
        recorded_at=raised,
        occurred_at=raised,
        trust=Trust.POLLED,
        vendor_data=without(row, SECRETS),
    )


def _state(row: Raw) -> EventState:
    """Where it does not say whether it is cleared, the time of its clearing does."""
    cleared = row.get("isCleared")
    if cleared is None and iso(row.get("clearedAt")) is not None:
        cleared = True
    return word(CLEARED, cleared, EventState.UNKNOWN)
