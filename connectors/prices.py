"""Prices for vendors that take them as numbers in major units, exact to the last digit."""

from decimal import Decimal

from domain.errors import BadInput
from domain.money import Money

HUNDREDTH = Decimal("0.01")
LARGEST = Decimal(10) ** 13  # with hundredths that is fifteen digits, which a double keeps as they are


def check_currency(price: Money, currency: str | None) -> None:
    """`currency`: what prices are in there. Raises BadInput where it is another, or not known."""
    if currency is None:
        raise BadInput("it is not known which currency these prices are in: `currency` of the account tells it")
    if price.currency != currency:
        raise BadInput(f"prices are in {currency} here, not in {price.currency}")


def check_amount(amount: Decimal) -> None:
    """Nothing may cost nothing. Raises BadInput for what no price can be."""
    if not (amount.is_finite() and 0 <= amount < LARGEST):
        raise BadInput("a price is a number from zero, and no larger than any money")


def major(amount: Decimal) -> int | float:
    """The number whose JSON says just this amount. Raises BadInput where it is no price in hundredths."""
    check_amount(amount)
    if amount != amount.quantize(HUNDREDTH):
        raise BadInput("a price has two digits after the point at most")
    return int(amount) if amount == int(amount) else float(amount)
