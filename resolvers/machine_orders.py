"""Orders of machines, from what callers ask for."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Protocol

from domain import asked
from domain.capabilities import Capability
from domain.errors import BadInput, NotFound
from domain.model import Slot
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
from domain.times import utc_now
from resolvers import slots
from resolvers.context import Context
from resolvers.sources import Source
from resolvers.ways import Asking, Way, money, of, short

LARGEST_PLANOGRAM = 1000  # rows, columns, and cells
RECORDED = frozenset({Capability.COLLECT_CASH})  # the vendor makes a record of it, with a time


class OfSlot(Protocol):
    @property
    def slot_id(self) -> str: ...


def machine_of_slot(given: OfSlot) -> Ref | None:
    """Of whatever names a slot."""
    return _machine_of_slot(given.slot_id)


def _machine_of_slot(id_: str) -> Ref | None:
    """A slot's native id begins with its machine's, up to the first slash."""
    slot = Ref.parse(id_)
    if slot is None or slot.kind is not Kind.SLOT:
        return None
    return Ref(Kind.MACHINE, slot.account, slot.native.split("/", 1)[0])


def _price_of(source: Source, given: asked.SetPriceInput) -> Money:
    return money(source, given.amount, given.currency, "amount", least=Decimal())


def _sum_of(source: Source, given: asked.SendDepositInput | asked.SendRemotePaymentInput) -> Money:
    return money(source, given.amount, given.currency, "amount", least=Decimal("0.01"))


async def _plain(asking: Asking, _: asked.MachineCommandInput) -> Order:
    asked_at = utc_now() if asking.kind in RECORDED else None
    return MachineOrder(kind=asking.kind, machine=asking.native, asked_at=asked_at)


def _check_dispense(context: Context, _: Source, given: asked.DispenseProductInput) -> None:
    if (given.slot_id is None) == (given.position is None):
        raise BadInput("exactly one of slotId and position is expected", "input")
    if given.position is not None:
        short(given.position, "position")
    if given.slot_id is not None:
        machine = _machine_of_slot(given.slot_id)
        if machine is None or context.source(machine.account) is None:
            raise NotFound("there is no such slot")
        if machine != MACHINE(given):
            raise BadInput("this slot is in another machine", "input", "slotId")


async def _dispense(asking: Asking, given: asked.DispenseProductInput) -> Order:
    position = given.position or ""
    if given.slot_id is not None:
        position = short((await slot_of(asking.context, given.slot_id)).position, "slotId")
    return DispenseProduct(machine=asking.native, position=position)


async def slot_of(context: Context, id_: str) -> Slot:
    ref = Ref.parse(id_)
    found = None if ref is None or ref.kind is not Kind.SLOT else await slots.find(context, ref)
    if found is None:
        raise NotFound("there is no such slot")
    return found


async def _deposit(asking: Asking, _: asked.SendDepositInput) -> Order:
    return SendDeposit(machine=asking.native, amount=_there(asking.amount))


def _check_payment(_: Context, __: Source, given: asked.SendRemotePaymentInput) -> None:
    if given.terminal_key is not None:
        short(given.terminal_key, "terminalKey")


async def _payment(asking: Asking, given: asked.SendRemotePaymentInput) -> Order:
    return SendRemotePayment(machine=asking.native, amount=_there(asking.amount), terminal_key=given.terminal_key)


def _check_price(_: Context, __: Source, given: asked.SetPriceInput) -> None:
    since, until = given.valid_from, given.valid_to
    if since is not None and until is not None and until <= since:
        raise BadInput("validTo must be later than validFrom", "input", "validTo")


async def _price(asking: Asking, given: asked.SetPriceInput) -> Order:
    slot = await slot_of(asking.context, given.slot_id)
    return SetPrice(
        machine=asking.native,
        slot=slot.ref.native,
        position=slot.position,
        price=_there(asking.amount),
        valid_from=given.valid_from,
        valid_to=given.valid_to,
    )


def _there(amount: Money | None) -> Money:
    assert amount is not None
    return amount


def _check_planogram(_: Context, source: Source, given: asked.UpdatePlanogramInput) -> None:
    for name, size in (("rows", given.rows), ("columns", given.columns)):
        if not 1 <= size <= LARGEST_PLANOGRAM:
            raise BadInput(f"from 1 to {LARGEST_PLANOGRAM} are expected", "input", name)
    if len(given.slots) > LARGEST_PLANOGRAM:
        raise BadInput(f"at most {LARGEST_PLANOGRAM} are expected", "input", "slots")
    found = _cells(source, given)
    if len({(cell.row, cell.column) for cell in found}) < len(found):
        raise BadInput("a cell is there twice", "input", "slots")


async def _planogram(asking: Asking, given: asked.UpdatePlanogramInput) -> Order:
    cells = _cells(asking.source, given)
    return UpdatePlanogram(machine=asking.native, rows=given.rows, columns=given.columns, cells=cells)


def _cells(source: Source, given: asked.UpdatePlanogramInput) -> Sequence[PlanogramCell]:
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


def _check_config(_: Context, __: Source, given: asked.UpdateConfigInput) -> None:
    if not isinstance(given.settings, dict) or not given.settings:
        raise BadInput("an object with the keys that are to change is expected", "input", "settings")


async def _config(asking: Asking, given: asked.UpdateConfigInput) -> Order:
    return UpdateConfig(machine=asking.native, settings=given.settings)


MACHINE = of(Kind.MACHINE, "machine_id")
WAYS: Mapping[type[Any], Way] = {
    asked.MachineCommandInput: Way("machine", MACHINE, _plain),
    asked.DispenseProductInput: Way("machine", MACHINE, _dispense, check=_check_dispense),
    asked.SendDepositInput: Way("machine", MACHINE, _deposit, _sum_of),
    asked.SendRemotePaymentInput: Way("machine", MACHINE, _payment, _sum_of, _check_payment),
    asked.SetPriceInput: Way("slot", machine_of_slot, _price, _price_of, _check_price),
    asked.UpdatePlanogramInput: Way("machine", MACHINE, _planogram, check=_check_planogram),
    asked.UpdateConfigInput: Way("machine", MACHINE, _config, check=_check_config),
}
