"""What a sale brought in, in parts that can be added up by product and by payment, exactly.

Money is whole millionths of the major unit: no vendor tells more than four decimals."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from domain.money import Money
from domain.sales import DispenseOutcome, PaymentMethod, Sale, SaleLine, SaleStatus

DECIMALS = 6
COUNTED = frozenset({SaleStatus.COMPLETED, SaleStatus.PARTIAL})
NOTHING = Decimal(0)
CENT = Decimal("0.01")
A_CENT = 10_000  # scaled


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A part of a sale: what one product has of it, or, without one, what no product accounts for, such as a discount,
    or what was paid by another method than the rest. Summed up, the shares are the sale.

    `sales` is 1 for one of them. Money is None where it is not known, all of it where `currency` is."""

    product: str | None = None
    method: PaymentMethod | None
    currency: str | None
    sales: int = 0
    items: int = 0
    total: int | None
    tax: int | None = None
    discount: int | None = None


def scaled(amount: Decimal) -> int:
    return int(amount.scaleb(DECIMALS).to_integral_value())


def unscaled(amount: int) -> Decimal:
    """With as many decimals as it needs, and two at least."""
    found = Decimal(amount).scaleb(-DECIMALS)
    return found.quantize(CENT) if amount % A_CENT == 0 else found.normalize()


def shares(sale: Sale) -> list[Share]:
    """None where nothing was sold: it failed, was refunded, or is not final. Lines not handed out are left out."""
    if sale.status not in COUNTED:
        return []
    given = [line for line in sale.lines if line.dispensed is not DispenseOutcome.FAILED]
    on_top = _on_top(sale)
    taken = _taken(sale, given, on_top=on_top)
    main, others = _methods(sale, taken)
    usual = Share(method=main, currency=None if taken is None else _currency(sale), total=None if taken is None else 0)
    found = _by_product(usual, given, on_top=on_top)
    rest = _rest(usual, sale, found, taken)
    found += [] if rest is None else [rest]
    found[0] = replace(found[0], sales=1)
    for method, amount in others:
        found += [replace(usual, total=-amount), replace(usual, method=method, total=amount)]
    return found


def _on_top(sale: Sale) -> bool:
    """Whether the taxes of the lines come on top of their totals to make the sale's."""
    if sale.total is None or not any(line.tax is not None and line.tax.amount for line in sale.lines):
        return False
    return _sum(line.total for line in sale.lines) + _sum(line.tax for line in sale.lines) == sale.total.amount


def _worth(line: SaleLine, *, on_top: bool) -> Decimal:
    return _sum([line.total]) + (_sum([line.tax]) if on_top else NOTHING)


def _taken(sale: Sale, given: Sequence[SaleLine], *, on_top: bool) -> Decimal | None:
    """The total less the lines that were not handed out, unless it is without them already."""
    handed = sum((_worth(line, on_top=on_top) for line in given), NOTHING)
    if sale.total is None:
        return handed if given and all(line.total is not None for line in given) else None
    whole = sum((_worth(line, on_top=on_top) for line in sale.lines), NOTHING)
    return sale.total.amount if sale.total.amount == handed else sale.total.amount - (whole - handed)


def _currency(sale: Sale) -> str:
    known = (sale.total, *(line.total for line in sale.lines))
    return next(money.currency for money in known if money is not None)


def _methods(sale: Sale, taken: Decimal | None) -> tuple[PaymentMethod | None, list[tuple[PaymentMethod, int]]]:
    """How most of it was paid, and what was paid otherwise."""
    paid: dict[PaymentMethod, Decimal] = {}
    for payment in sale.payments:
        paid[payment.method] = paid.get(payment.method, NOTHING) + _sum([payment.amount])
    if not paid:
        return None, []
    main = max(paid, key=lambda method: paid[method])
    others = [(method, scaled(amount)) for method, amount in paid.items() if method is not main and amount]
    fits = taken is not None and sum(amount for _, amount in others) <= scaled(taken)
    return main, others if fits else []


def _by_product(usual: Share, given: Sequence[SaleLine], *, on_top: bool) -> list[Share]:
    found: dict[str | None, Share] = {}
    for line in given:
        product = None if line.product_ref is None else line.product_ref.native
        known = found.get(product, replace(usual, product=product))
        tax = None if line.tax is None or usual.total is None else scaled(line.tax.amount)
        found[product] = replace(
            known,
            items=known.items + line.quantity,
            total=None if known.total is None else known.total + scaled(_worth(line, on_top=on_top)),
            tax=known.tax if tax is None else tax + (known.tax or 0),
        )
    return list(found.values())


def _rest(usual: Share, sale: Sale, found: Sequence[Share], taken: Decimal | None) -> Share | None:
    """What the lines do not account for."""
    if taken is None:
        return None if found else usual
    total = scaled(taken) - sum(share.total or 0 for share in found)
    tax = _rest_of_tax(sale, found)
    discount = None if sale.discount is None else scaled(sale.discount.amount)
    if found and not total and not tax and discount is None:
        return None
    return replace(usual, total=total, tax=tax, discount=discount)


def _rest_of_tax(sale: Sale, found: Sequence[Share]) -> int | None:
    if sale.tax is None:
        return None
    failed = (line.tax for line in sale.lines if line.dispensed is DispenseOutcome.FAILED)
    known = sum(share.tax or 0 for share in found)
    rest = scaled(sale.tax.amount - _sum(failed)) - known
    return rest if rest or all(share.tax is None for share in found) else None


def _sum(amounts: Iterable[Money | None]) -> Decimal:
    return sum((money.amount for money in amounts if money is not None), NOTHING)
