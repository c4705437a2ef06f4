"""A controller's matrix, which is only ever replaced whole: what was read, changed where an order says so.

Raises BadInput where there is no such change."""

from typing import Any

from connectors.parsing import Raw, need, number, text, whole
from connectors.smartvend.format import Body, cents, position
from domain.errors import BadInput
from domain.orders import PlanogramCell, SetPrice, UpdatePlanogram

EMPTIES = "impulse"  # the one type of controller that has cells without a product


def read(told: Raw) -> Body:
    """As it can be sent back: what the documents name, and numbers as numbers. What lacks a member cannot be."""
    return {
        "id": need(told["id"]),
        "columnsNumber": _whole(told["columnsNumber"]),
        "rowsNumber": _whole(told["rowsNumber"]),
        "products": [_cell(row) for row in _rows(told["products"])],
        "resources": [_resource(row) for row in _rows(told["resources"])],
    }


def _cell(row: Raw) -> Body:
    return {
        "columnNumber": _whole(row["columnNumber"]),
        "rowNumber": _whole(row["rowNumber"]),
        "price": _number(row["price"]),
        "productId": text(row.get("productId")),
    }


def _resource(row: Raw) -> Body:
    return {"resourceId": need(row["resourceId"]), "maxRefillQuantity": _number(row["maxRefillQuantity"])}


def price(order: SetPrice, currency: str | None) -> int:
    if order.valid_from is not None or order.valid_to is not None:
        raise BadInput("SmartVend changes a price at once and until the next change: there are no times for it")
    position(order.position)
    return cents(order.price, currency, least=0)


def priced(held: Body, place: str, price: int) -> Body:
    """With one price changed, and all else as it is held."""
    wanted = _at(held, place)
    if wanted is None:
        raise BadInput(f"the machine's matrix has no cell {place}")
    cells = [{**cell, "price": price} if cell is wanted else cell for cell in held["products"]]
    return {**held, "products": cells}


def shows_price(held: Body, place: str, price: int) -> bool:
    found = _at(held, place)
    return found is not None and found["price"] == price


def cells(order: UpdatePlanogram, currency: str | None) -> list[Body]:
    """Those that hold something: what is left out of a matrix is empty."""
    if order.rows < 1 or order.columns < 1:
        raise BadInput("a planogram has at least one row and one column")
    places = {(cell.row, cell.column) for cell in order.cells}
    if len(places) < len(order.cells):
        raise BadInput("two cells of the planogram are in the same place")
    for row, column in places:
        if not (0 <= row < order.rows and 0 <= column < order.columns):
            raise BadInput(f"row {row}, column {column} lies outside of the planogram")
    return [_ordered(cell, currency) for cell in order.cells]


def _ordered(cell: PlanogramCell, currency: str | None) -> Body:
    return {
        "columnNumber": cell.column,
        "rowNumber": cell.row,
        "price": cents(cell.price, currency, least=0),
        "productId": cell.product,
    }


def replaced(held: Body, order: UpdatePlanogram, cells: list[Body]) -> Body:
    return {**held, "columnsNumber": order.columns, "rowsNumber": order.rows, "products": cells}


def shows_planogram(held: Body, order: UpdatePlanogram, cells: list[Body]) -> bool:
    """Cells have no order of their own."""
    size = (held["rowsNumber"], held["columnsNumber"])
    return size == (order.rows, order.columns) and _by_place(held["products"]) == _by_place(cells)


def _by_place(cells: list[Body]) -> list[tuple[Any, ...]]:
    found = [(cell["rowNumber"], cell["columnNumber"], cell["price"], cell["productId"] or "") for cell in cells]
    return sorted(found)


def _at(held: Body, place: str) -> Body | None:
    """None also where cells that lie outside of the matrix leave open which it is."""
    wanted, columns = position(place), held["columnsNumber"]
    found = [cell for cell in held["products"] if cell["rowNumber"] * columns + cell["columnNumber"] + 1 == wanted]
    return found[0] if len(found) == 1 else None


def _rows(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError("a list is missing")
    return value


def _whole(value: Any) -> int:
    found = whole(value)
    if found is None:
        raise ValueError("a number is missing")
    return found


def _number(value: Any) -> int | float:
    found = number(value)
    if found is None:
        raise ValueError("a number is missing")
    return int(found) if found == found.to_integral_value() else float(found)
