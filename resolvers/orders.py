"""From what a caller asks for to an order: whether they may, whether it can be done, and what exactly is meant.

What can be refused without asking the vendor anything is refused first."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from domain.asked import Asked
from domain.capabilities import Capability, UnavailableReason
from domain.errors import BadInput, Forbidden, NotFound, Unsupported
from domain.model import Machine, Role
from domain.money import Money
from domain.orders import Order
from domain.refs import Kind, Ref
from resolvers import (
    catalogue_orders,
    estate_orders,
    machine_orders,
    people_orders,
    promo_orders,
    stock_orders,
    upkeep_orders,
)
from resolvers.context import Context
from resolvers.sources import Source
from resolvers.ways import Asking, Way

LONGEST_KEY = 255
QUICKLY = 1.0  # seconds for a vendor to tell how its machines are now, where it has told before
FOR_OPERATORS = frozenset(
    {
        Capability.DISPENSE_PRODUCT,
        Capability.SEND_DEPOSIT,
        Capability.SEND_REMOTE_PAYMENT,
        Capability.COLLECT_CASH,
        Capability.OPEN_DOOR,
        Capability.SCAN_INVENTORY,
        Capability.MEASURE_TEMPERATURE,
        Capability.READ_DOOR,
        Capability.REBOOT,
        Capability.RESTART_APP,
        Capability.ADJUST_STOCK,
        Capability.RESOLVE_EVENT,
        Capability.CREATE_SERVICE_SESSION,
    }
)  # all else is for admins
MOVES_MONEY = frozenset({Capability.SEND_DEPOSIT, Capability.SEND_REMOTE_PAYMENT})
RANK = {role: at for at, role in enumerate(Role)}
WHY: Mapping[UnavailableReason, str] = {
    UnavailableReason.UNSUPPORTED_BY_VENDOR: "the vendor has nothing of the kind",
    UnavailableReason.NOT_PERMITTED: "the account's credentials do not cover it",
    UnavailableReason.VENDOR_UNAVAILABLE: "the vendor does not answer",
    UnavailableReason.OUT_OF_BUDGET: "the vendor's request budget is spent",
    UnavailableReason.MACHINE_OFFLINE: "the machine is offline",
    UnavailableReason.NEVER_REPORTED: "nothing was ever reported",
}
WAYS: Mapping[type[Any], Way] = {
    **machine_orders.WAYS,
    **stock_orders.WAYS,
    **people_orders.WAYS,
    **catalogue_orders.WAYS,
    **estate_orders.WAYS,
    **promo_orders.WAYS,
    **upkeep_orders.WAYS,
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
    needed = Role.OPERATOR if kind in FOR_OPERATORS else Role.ADMIN
    if RANK[context.viewer.role] < RANK[needed]:
        raise Forbidden(f"{kind.value} takes a key of role {needed.name}, and this one's is {context.viewer.role.name}")


def source_of(context: Context, given: Asked) -> tuple[Source, Ref]:
    """The account and the thing that are meant. Raises NotFound, the same for what is another's."""
    way = WAYS[type(given)]
    ref = way.target(given)
    source = None if ref is None else context.source(ref.account)
    if ref is None or source is None:
        raise NotFound(f"there is no such {way.what}")
    return source, ref


def target_of(given: Asked) -> Ref | None:
    return WAYS[type(given)].target(given)


def check_key(given: Asked) -> None:
    if not 1 <= len(given.idempotency_key) <= LONGEST_KEY or not given.idempotency_key.isprintable():
        raise BadInput(f"a text of 1 to {LONGEST_KEY} printable characters is expected", "input", "idempotencyKey")


async def meant(context: Context, kind: Capability, given: Asked) -> Meant:
    """Raises VendgraphError: for what cannot be done, without asking the vendor."""
    way, (source, ref) = WAYS[type(given)], source_of(context, given)
    _refuse(kind, source.refusal(kind))
    amount = way.amount(source, given)
    way.check(context, source, given)
    machine = await _machine(context, kind, source, ref, way.what) if ref.kind is Kind.MACHINE else None
    order = await way.order(Asking(context, kind, source, machine, amount), given)
    taker: Any = source.connector
    taker.check(order)
    return Meant(source, machine, order, amount if kind in MOVES_MONEY else None)


async def _machine(context: Context, kind: Capability, source: Source, ref: Ref, what: str) -> Machine:
    whole = source.machines
    machine = None
    if whole is not None:
        known = whole.cache.kept("") is not None
        listed = await whole.get(context.patience(QUICKLY if known else source.seconds))
        machine = listed.value.by_native.get(ref.native)
    if machine is None:
        raise NotFound(f"there is no such {what}")
    _refuse(kind, source.refusal(kind, machine))
    return machine


def _refuse(kind: Capability, reason: UnavailableReason | None) -> None:
    if reason is not None:
        raise Unsupported(f"{kind.value} cannot be done here: {WHY[reason]}", reason)
