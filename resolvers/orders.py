"""From what a caller asks for to an order: whether it can be done, and what exactly is meant.

What can be refused without asking the vendor anything is refused first."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from domain import asked
from domain.asked import Asked
from domain.errors import NotFound
from domain.model import Capability, Machine, Slot
from domain.money import Money
from domain.orders import (
    DispenseProduct,
    Order,
    SendDeposit,
    SendRemotePayment,
    SetPrice,
    UpdateConfig,
    UpdatePlanogram,
)
from domain.refs import Kind, Ref
from resolvers import slots
from resolvers.checks import absent, amount_of, cells, check_shape, refuse, short, source_of
from resolvers.context import Context
from resolvers.sources import Source

MOVES = frozenset({Capability.SEND_DEPOSIT, Capability.SEND_REMOTE_PAYMENT})  # money


@dataclass(frozen=True, slots=True)
class Meant:
    """Of whom something is asked, and how much money it moves, if any."""

    source: Source
    machine: Machine
    order: Order
    amount: Money | None = None


async def meant(context: Context, kind: Capability, given: Asked) -> Meant:
    """Raises VendgraphError."""
    source, ref = source_of(context, given)
    refuse(kind, source.refusal(kind))
    amount = amount_of(source, given)
    check_shape(context, source, given)
    machine = await context.loaders.machines.find(ref)
    if machine is None:
        raise absent(given)
    refuse(kind, source.refusal(kind, machine))
    order = await ORDERED[type(given)](context, kind, machine, given, amount)
    return Meant(source, machine, order, amount if kind in MOVES else None)


Ordering = Callable[[Context, Capability, Machine, Any, Any], Awaitable[Order]]


async def _plain(_: Context, kind: Capability, machine: Machine, __: asked.MachineCommandInput, ___: None) -> Order:
    return Order(kind=kind, machine=machine.ref.native)


async def _dispense(
    context: Context, _: Capability, machine: Machine, given: asked.DispenseProductInput, __: None
) -> Order:
    position = given.position or ""
    if given.slot_id is not None:
        position = (await _slot(context, given.slot_id)).position
        short(position, "slotId")
    return DispenseProduct(machine=machine.ref.native, position=position)


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
    return SendRemotePayment(machine=machine.ref.native, amount=amount, terminal_key=given.terminal_key)


async def _price(context: Context, _: Capability, machine: Machine, given: asked.SetPriceInput, price: Money) -> Order:
    slot = await _slot(context, given.slot_id)
    return SetPrice(
        machine=machine.ref.native,
        slot=slot.ref.native,
        position=slot.position,
        price=price,
        valid_from=given.valid_from,
        valid_to=given.valid_to,
    )


async def _planogram(
    context: Context, _: Capability, machine: Machine, given: asked.UpdatePlanogramInput, __: None
) -> Order:
    found = cells(context.graph.sources[machine.ref.account], given)
    return UpdatePlanogram(machine=machine.ref.native, rows=given.rows, columns=given.columns, cells=found)


async def _config(_: Context, __: Capability, machine: Machine, given: asked.UpdateConfigInput, ___: None) -> Order:
    return UpdateConfig(machine=machine.ref.native, settings=given.settings)


ORDERED: Mapping[type[Asked], Ordering] = {
    asked.MachineCommandInput: _plain,
    asked.DispenseProductInput: _dispense,
    asked.SendDepositInput: _deposit,
    asked.SendRemotePaymentInput: _payment,
    asked.SetPriceInput: _price,
    asked.UpdatePlanogramInput: _planogram,
    asked.UpdateConfigInput: _config,
}
