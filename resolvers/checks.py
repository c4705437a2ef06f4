"""What can be found wrong with what a caller asks for, without asking the vendor anything."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from domain import asked
from domain.asked import Asked
from domain.errors import BadInput, Forbidden, NotFound, Unsupported
from domain.model import Capability, Role, UnavailableReason
from domain.money import Money
from domain.orders import PlanogramCell
from domain.refs import Kind, Ref
from resolvers.context import Context
from resolvers.sources import Source

LONGEST_KEY = 255
LONGEST_TEXT = 255
LARGEST_AMOUNT = Decimal(10_000_000)
LARGEST_PLANOGRAM = 1000  # rows, columns, and cells
ADMINS = frozenset({Capability.SET_PRICE, Capability.UPDATE_PLANOGRAM, Capability.UPDATE_CONFIG})
RANK = {role: at for at, role in enumerate(Role)}
WHY: Mapping[UnavailableReason, str] = {
    UnavailableReason.UNSUPPORTED_BY_VENDOR: "the vendor has nothing of the kind",
    UnavailableReason.NOT_PERMITTED: "the account's credentials do not cover it",
    UnavailableReason.VENDOR_UNAVAILABLE: "the vendor does not answer",
    UnavailableReason.OUT_OF_BUDGET: "the vendor's request budget is spent",
    UnavailableReason.MACHINE_OFFLINE: "the machine is offline",
    UnavailableReason.NEVER_REPORTED: "nothing was ever reported",
}


def permit(context: Context, kind: Capability) -> None:
    """Raises Forbidden."""
    needed = Role.ADMIN if kind in ADMINS else Role.OPERATOR
    if RANK[context.viewer.role] < RANK[needed]:
        raise Forbidden(f"{kind.value} takes a key of role {needed.name}, and this one's is {context.viewer.role.name}")


def refuse(kind: Capability, reason: UnavailableReason | None) -> None:
    """Raises Unsupported where there is a reason."""
    if reason is not None:
        raise Unsupported(f"{kind.value} cannot be done here: {WHY[reason]}", reason)


def source_of(context: Context, given: Asked) -> tuple[Source, Ref]:
    """The account and the machine that are meant. Raises NotFound, the same for what is another's."""
    ref = machine_ref(given)
    source = None if ref is None else context.source(ref.account)
    if ref is None or source is None:
        raise absent(given)
    return source, ref


def absent(given: Asked) -> NotFound:
    return NotFound(f"there is no such {'slot' if isinstance(given, asked.SetPriceInput) else 'machine'}")


def machine_ref(given: Asked) -> Ref | None:
    if isinstance(given, asked.SetPriceInput):
        return machine_of_slot(given.slot_id)
    ref = Ref.parse(given.machine_id)
    return ref if ref is not None and ref.kind is Kind.MACHINE else None


def machine_of_slot(id_: str) -> Ref | None:
    """A slot's native id begins with its machine's, up to the first slash."""
    ref = Ref.parse(id_)
    if ref is None or ref.kind is not Kind.SLOT:
        return None
    return Ref(Kind.MACHINE, ref.account, ref.native.split("/", 1)[0])


def check_key(given: Asked) -> None:
    """Raises BadInput."""
    if not 1 <= len(given.idempotency_key) <= LONGEST_KEY or not given.idempotency_key.isprintable():
        raise BadInput(f"a text of 1 to {LONGEST_KEY} printable characters is expected", "input", "idempotencyKey")


def amount_of(source: Source, given: Asked) -> Money | None:
    """Exact, in the account's currency, and nothing below its hundredth. Raises BadInput."""
    if isinstance(given, asked.SetPriceInput):
        return money(source, given.amount, given.currency, "amount", least=Decimal())
    if isinstance(given, asked.SendDepositInput | asked.SendRemotePaymentInput):
        return money(source, given.amount, given.currency, "amount", least=Decimal("0.01"))
    return None


def money(source: Source, amount: Decimal, currency: str | None, field: str, *, least: Decimal) -> Money:
    """Raises BadInput."""
    own = source.account.currency
    if own is None and currency is None:
        raise BadInput("the account has no currency in the configuration: name one", "input", "currency")
    if currency is not None and own is not None and currency != own:
        raise BadInput(f"the account's currency is {own}, and {currency:.20} is another", "input", "currency")
    if not amount.is_finite() or not least <= amount < LARGEST_AMOUNT:
        raise BadInput(f"an amount from {least} to {LARGEST_AMOUNT} is expected", "input", field)
    exact = amount.quantize(Decimal("0.01"))
    if exact != amount:
        raise BadInput("it has more than two decimal places", "input", field)
    return Money(exact, own or currency or "")


def check_shape(context: Context, source: Source, given: Asked) -> None:
    """What its parts are to one another. Raises BadInput, or NotFound for a slot."""
    check = SHAPES.get(type(given))
    if check is not None:
        check(context, source, given)


def _dispense(context: Context, _: Source, given: asked.DispenseProductInput) -> None:
    if (given.slot_id is None) == (given.position is None):
        raise BadInput("exactly one of slotId and position is expected", "input")
    if given.position is not None:
        short(given.position, "position")
    if given.slot_id is not None:
        machine = machine_of_slot(given.slot_id)
        if machine is None or context.source(machine.account) is None:
            raise NotFound("there is no such slot")
        if machine != machine_ref(given):
            raise BadInput("this slot is in another machine", "input", "slotId")


def _payment(_: Context, __: Source, given: asked.SendRemotePaymentInput) -> None:
    if given.terminal_key is not None:
        short(given.terminal_key, "terminalKey")


def _price(_: Context, __: Source, given: asked.SetPriceInput) -> None:
    since, until = given.valid_from, given.valid_to
    if since is not None and until is not None and until <= since:
        raise BadInput("validTo must be later than validFrom", "input", "validTo")


def _planogram(_: Context, source: Source, given: asked.UpdatePlanogramInput) -> None:
    for name, size in (("rows", given.rows), ("columns", given.columns)):
        if not 1 <= size <= LARGEST_PLANOGRAM:
            raise BadInput(f"from 1 to {LARGEST_PLANOGRAM} are expected", "input", name)
    if len(given.slots) > LARGEST_PLANOGRAM:
        raise BadInput(f"at most {LARGEST_PLANOGRAM} are expected", "input", "slots")
    found = cells(source, given)
    if len({(cell.row, cell.column) for cell in found}) < len(found):
        raise BadInput("a cell is there twice", "input", "slots")


def cells(source: Source, given: asked.UpdatePlanogramInput) -> Sequence[PlanogramCell]:
    """Raises BadInput."""
    return [_cell(source, given, at) for at in range(len(given.slots))]


def _cell(source: Source, given: asked.UpdatePlanogramInput, at: int) -> PlanogramCell:
    cell, place = given.slots[at], ("slots", str(at))
    if not 0 <= cell.row < given.rows or not 0 <= cell.column < given.columns:
        raise BadInput("it lies outside: rows and columns count from 0", "input", *place)
    product = None if cell.product_id is None else Ref.parse(cell.product_id)
    if cell.product_id is not None and (product is None or product[:2] != (Kind.PRODUCT, source.key)):
        raise BadInput("there is no such product in this account", "input", *place, "productId")
    try:
        price = money(source, cell.price, None, "price", least=Decimal())
    except BadInput as error:
        raise BadInput(error.message, "input", *place, "price") from None
    return PlanogramCell(
        row=cell.row, column=cell.column, product=None if product is None else product.native, price=price
    )


def _settings(_: Context, __: Source, given: asked.UpdateConfigInput) -> None:
    if not isinstance(given.settings, dict) or not given.settings:
        raise BadInput("an object with the keys that are to change is expected", "input", "settings")


def short(text: str, field: str) -> None:
    """Raises BadInput."""
    if not 1 <= len(text) <= LONGEST_TEXT:
        raise BadInput(f"a text of 1 to {LONGEST_TEXT} characters is expected", "input", field)


SHAPES: Mapping[type[Asked], Callable[[Context, Source, Any], None]] = {
    asked.DispenseProductInput: _dispense,
    asked.SendRemotePaymentInput: _payment,
    asked.SetPriceInput: _price,
    asked.UpdatePlanogramInput: _planogram,
    asked.UpdateConfigInput: _settings,
}
