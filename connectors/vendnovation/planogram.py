"""What becomes of a machine's selections by an order: whole, as they were read, but for what it changes. Pure.

The vendor has no grid. Where a machine has several rows, and all of its friendly numbers are a letter and a number,
B3 is row 1, column 2. Else its selections count along the rows, by their numbers, and fill the grid."""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal

from connectors.parsing import Raw, number, text
from connectors.prices import major
from connectors.vendnovation.parse import product_of
from domain.errors import BadInput
from domain.orders import PlanogramCell, SetPrice, UpdatePlanogram

LABEL = re.compile(r"([A-Z])([1-9][0-9]?)")
DIGITS = re.compile(r"([0-9]+)")

Place = tuple[int, int]


def priced(order: SetPrice, selections: Sequence[Raw]) -> list[Raw]:
    """The one selection that is meant. Raises BadInput where there is none."""
    native = order.slot.rpartition("/")[2]
    found = [row for row in selections if text(row.get("id")) == native]
    if len(found) != 1:
        raise BadInput(f"machine {order.machine} has no selection {native}")
    return [_priced(found[0], order.price.amount)]


def arranged(order: UpdatePlanogram, selections: Sequence[Raw]) -> list[Raw]:
    """All of the machine's. Raises BadInput where a cell names none of them, or more than one cell the same."""
    if not selections:
        raise BadInput(f"machine {order.machine} has no selections")
    places = _places(order, selections)
    cells = {(cell.row, cell.column): cell for cell in order.cells}
    if len(cells) < len(order.cells):
        raise BadInput("a planogram names each of its cells once")
    for row, column in cells.keys() - places.keys():
        raise BadInput(f"machine {order.machine} has no selection in row {row}, column {column} of such a grid")
    return [_filled(row, cells.get(place)) for place, row in places.items()]


def _filled(row: Raw, cell: PlanogramCell | None) -> Raw:
    """What is in a selection stays counted: a count that changes would be an adjustment of the stock."""
    if cell is None:
        return _holding(row, None)
    return _priced(_holding(row, cell.product), cell.price.amount)


def _holding(row: Raw, product: str | None) -> Raw:
    return row if product_of(row) == product else {**row, "productId": None if product is None else int(product)}


def _priced(row: Raw, amount: Decimal) -> Raw:
    """What costs just that already keeps its price as it is, which may be finer than any money."""
    return row if _price(row) == amount else {**row, "price": major(amount)}


def _price(row: Raw) -> Decimal | None:
    """None where it cannot be read: then it is written anew."""
    try:
        return number(row.get("price"))
    except ValueError:
        return None


def _places(order: UpdatePlanogram, selections: Sequence[Raw]) -> Mapping[Place, Raw]:
    rows, columns = order.rows, order.columns
    labelled = _labelled(selections)
    if labelled is not None and rows > 1:
        if any(row >= rows or column >= columns for row, column in labelled):
            raise BadInput(f"machine {order.machine} has selections outside of {rows} rows of {columns}")
        return labelled
    if rows < 1 or rows * columns != len(selections):
        raise BadInput(f"{rows} rows of {columns} are not the {len(selections)} selections of machine {order.machine}")
    return {divmod(at, columns): row for at, row in enumerate(sorted(selections, key=_natural))}


def _labelled(selections: Sequence[Raw]) -> Mapping[Place, Raw] | None:
    """None where a friendly number is another's too, or no letter and number."""
    labels = [LABEL.fullmatch(text(row.get("friendlyNumber")) or "") for row in selections]
    found = {
        (ord(label[1]) - ord("A"), int(label[2]) - 1): row
        for label, row in zip(labels, selections, strict=True)
        if label is not None
    }
    return found if len(found) == len(selections) else None


def _natural(row: Raw) -> list[str | int]:
    """By which 9 comes before 10."""
    parts = DIGITS.split(text(row.get("selectionNumber") or row.get("friendlyNumber")) or "")
    return [int(part) if at % 2 else part for at, part in enumerate(parts)]
