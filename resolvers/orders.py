"""From what a caller asks for to an order: whether they may, whether it can be done, and what exactly is meant.

What can be refused without asking the vendor anything is refused first."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from domain import asked
from domain.asked import Asked
from domain.errors import BadInput, Forbidden, NotFound, Unsupported
from domain.model import Capability, Machine, Role, Slot, UnavailableReason
from domain.money import Money
from domain.orders import (
    DispenseProduct,
    MachineOrder,
    Order,
    PlanogramCell,
    SendDeposit,
    SendRemotePayment,
    SetPrice,
    UpdateConfig,
    UpdatePlanogram,
)
from domain.refs import Kind, Ref
from resolvers import slots
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


@dataclass(frozen=True, slots=True)
class Meant:
    """Of whom something is asked, and how much money it moves, if any."""

    source: Source
    machine: Machine | None
    order: Order
    amount: Money | None = None


def permit(context: Context, kind: Capability) -> None:
    """Raises Forbidden."""
    needed = Role.ADMIN if kind in ADMINS else Role.OPERATOR
    if RANK[context.viewer.role] < RANK[needed]:
        raise Forbidden(f"{kind.value} takes a key of role {needed.name}, and this one's is {context.viewer.role.name}")


def source_of(context: Context, given: Asked) -> tuple[Source, Ref]:
    """The account and the machine that are meant. Raises NotFound, the same for what is another's."""
    ref = machine_ref(given)
    source = None if ref is None else context.source(ref.account)
    if ref is None or source is None:
        raise NotFound(
            "there is no such machine" if not isinstance(given, asked.SetPriceInput) else "there is no such slot"
        )
    return source, ref


def machine_ref(given: Asked) -> Ref | None:
    """A slot's native id begins with its machine's, up to the first slash."""
    if isinstance(given, asked.SetPriceInput):
        slot = Ref.parse(given.slot_id)
        right = slot is not None and slot.kind is Kind.SLOT
        return Ref(Kind.MACHINE, slot.account, slot.native.split("/", 1)[0]) if slot is not None and right else None
    ref = Ref.parse(given.machine_id)
    return ref if ref is not None and ref.kind is Kind.MACHINE else None


def check_key(given: Asked) -> None:
    if not 1 <= len(given.idempotency_key) <= LONGEST_KEY or not given.idempotency_key.isprintable():
        raise BadInput(f"a text of 1 to {LONGEST_KEY} printable characters is expected", "input", "idempotencyKey")


async def meant(context: Context, kind: Capability, given: Asked) -> Meant:
    """Raises VendgraphError: for what cannot be done, without asking the vendor."""
    source, ref = source_of(context, given)
    _refuse(kind, source.refusal(kind))
    amount = _amount(source, given)
    machine = await context.loaders.machines.find(ref)
    if machine is None:
        raise NotFound("there is no such machine")
    _refuse(kind, source.refusal(kind, machine))
    order = await ORDERED[type(given)](context, kind, machine, given, amount)
    moves = kind in (Capability.SEND_DEPOSIT, Capability.SEND_REMOTE_PAYMENT)
    return Meant(source, machine, order, amount if moves else None)


def _refuse(kind: Capability, reason: UnavailableReason | None) -> None:
    if reason is not None:
        raise Unsupported(f"{kind.value} cannot be done here: {WHY[reason]}", reason)


def _amount(source: Source, given: Asked) -> Money | None:
    """Exact, in the account's currency, and nothing below its hundredth."""
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


Ordering = Callable[[Context, Capability, Machine, Any, Any], Awaitable[Order]]


async def _plain(_: Context, kind: Capability, machine: Machine, __: asked.MachineCommandInput, ___: None) -> Order:
    return MachineOrder(kind=kind, machine=machine.ref.native)


async def _dispense(
    context: Context, _: Capability, machine: Machine, given: asked.DispenseProductInput, __: None
) -> Order:
    if (given.slot_id is None) == (given.position is None):
        raise BadInput("exactly one of slotId and position is expected", "input")
    position = given.position
    if given.slot_id is not None:
        slot = await _slot(context, given.slot_id)
        if slot.machine_ref != machine.ref:
            raise BadInput("this slot is in another machine", "input", "slotId")
        position = slot.position
    return DispenseProduct(machine=machine.ref.native, position=_short(position or "", "position"))


async def _slot(context: Context, id_: str) -> Slot:
    ref = Ref.parse(id_)
    found = None if ref is None or ref.kind is not Kind.SLOT else await slots.find(context, ref)
    if found is None:
        raise NotFound("there is no such slot")
    return found


async def _deposit(_: Context, __: Capability, machine: Machine, ___: asked.SendDepositInput, amount: Money) -> Order:
    return SendDeposit(machine=machine.ref.native, amount=amount)


async def _payment(
    _: Context, __: Capability, machine: Machine, given: asked.SendRemotePaymentInput, amount: Money
) -> Order:
    terminal = None if given.terminal_key is None else _short(given.terminal_key, "terminalKey")
    return SendRemotePayment(machine=machine.ref.native, amount=amount, terminal_key=terminal)


async def _price(context: Context, _: Capability, machine: Machine, given: asked.SetPriceInput, price: Money) -> Order:
    slot = await _slot(context, given.slot_id)
    since, until = given.valid_from, given.valid_to
    if since is not None and until is not None and until <= since:
        raise BadInput("validTo must be later than validFrom", "input", "validTo")
    return SetPrice(
        machine=machine.ref.native,
        slot=slot.ref.native,
        position=slot.position,
        price=price,
        valid_from=since,
        valid_to=until,
    )


async def _planogram(
    context: Context, _: Capability, machine: Machine, given: asked.UpdatePlanogramInput, __: None
) -> Order:
    for name, size in (("rows", given.rows), ("columns", given.columns)):
        if not 1 <= size <= LARGEST_PLANOGRAM:
            raise BadInput(f"from 1 to {LARGEST_PLANOGRAM} are expected", "input", name)
    if len(given.slots) > LARGEST_PLANOGRAM:
        raise BadInput(f"at most {LARGEST_PLANOGRAM} are expected", "input", "slots")
    source = context.graph.sources[machine.ref.account]
    cells = [_cell(source, given, at) for at in range(len(given.slots))]
    if len({(cell.row, cell.column) for cell in cells}) < len(cells):
        raise BadInput("a cell is there twice", "input", "slots")
    return UpdatePlanogram(machine=machine.ref.native, rows=given.rows, columns=given.columns, cells=cells)


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


async def _config(_: Context, __: Capability, machine: Machine, given: asked.UpdateConfigInput, ___: None) -> Order:
    settings = given.settings
    if not isinstance(settings, dict) or not settings:
        raise BadInput("an object with the keys that are to change is expected", "input", "settings")
    return UpdateConfig(machine=machine.ref.native, settings=settings)


def _short(text: str, field: str) -> str:
    if not 1 <= len(text) <= LONGEST_TEXT:
        raise BadInput(f"a text of 1 to {LONGEST_TEXT} characters is expected", "input", field)
    return text


ORDERED: Mapping[type[Asked], Ordering] = {
    asked.MachineCommandInput: _plain,
    asked.DispenseProductInput: _dispense,
    asked.SendDepositInput: _deposit,
    asked.SendRemotePaymentInput: _payment,
    asked.SetPriceInput: _price,
    asked.UpdatePlanogramInput: _planogram,
    asked.UpdateConfigInput: _config,
}
