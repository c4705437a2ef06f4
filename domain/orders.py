"""Orders: what can be asked of a vendor. One holds all that it takes, but for what the vendor has to be asked first.

Machines, slots and products are named by the vendor's ids; prices and amounts are exact."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from domain.capabilities import Capability
from domain.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    kind: Capability


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineOrder(Order):
    """Of one machine, and by itself of those that need no more to be said.

    `asked_at`: where the vendor's records show what became of it, those from before are not of this order."""

    machine: str
    asked_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DispenseProduct(MachineOrder):
    """`position`: the slot's, as printed on the machine."""

    kind: Capability = Capability.DISPENSE_PRODUCT
    position: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SendDeposit(MachineOrder):
    kind: Capability = Capability.SEND_DEPOSIT
    amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class SendRemotePayment(MachineOrder):
    """`terminal_key`: which of a machine's terminals takes it; None for the only one."""

    kind: Capability = Capability.SEND_REMOTE_PAYMENT
    amount: Money
    terminal_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetPrice(MachineOrder):
    """From `valid_from`, or at once, to `valid_to`, or for ever."""

    kind: Capability = Capability.SET_PRICE
    slot: str
    position: str
    price: Money
    valid_from: datetime | None = None
    valid_to: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanogramCell:
    """Rows and columns count from 0. `product` is None for a cell that is left empty."""

    row: int
    column: int
    product: str | None
    price: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdatePlanogram(MachineOrder):
    """All cells of a machine: what is not among them is empty from then on."""

    kind: Capability = Capability.UPDATE_PLANOGRAM
    rows: int
    columns: int
    cells: Sequence[PlanogramCell]


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateConfig(MachineOrder):
    """The keys that are to change, in the vendor's words; some are secrets."""

    kind: Capability = Capability.UPDATE_CONFIG
    settings: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class AdjustStock(MachineOrder):
    """What is counted in a slot: by `delta` more, or to `level`; exactly one of them is there."""

    kind: Capability = Capability.ADJUST_STOCK
    slot: str
    delta: int | None = None
    level: int | None = None


ORDERS: Mapping[Capability, type[Order]] = {
    Capability.DISPENSE_PRODUCT: DispenseProduct,
    Capability.SEND_DEPOSIT: SendDeposit,
    Capability.SEND_REMOTE_PAYMENT: SendRemotePayment,
    Capability.OPEN_DOOR: MachineOrder,
    Capability.SCAN_INVENTORY: MachineOrder,
    Capability.MEASURE_TEMPERATURE: MachineOrder,
    Capability.READ_DOOR: MachineOrder,
    Capability.REBOOT: MachineOrder,
    Capability.RESTART_APP: MachineOrder,
    Capability.COLLECT_CASH: MachineOrder,
    Capability.SET_PRICE: SetPrice,
    Capability.UPDATE_PLANOGRAM: UpdatePlanogram,
    Capability.UPDATE_CONFIG: UpdateConfig,
    Capability.ADJUST_STOCK: AdjustStock,
}
