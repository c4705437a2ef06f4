"""Orders of stock, from what callers ask for."""

from collections.abc import Mapping
from typing import Any

from domain.errors import BadInput
from domain.orders import AdjustStock, Order
from domain.stock import AdjustStockInput
from domain.times import utc_now
from resolvers.machine_orders import machine_of_slot, slot_of
from resolvers.ways import Asking, Way

LARGEST = 100_000


async def _adjustment(asking: Asking, given: AdjustStockInput) -> Order:
    if (given.delta is None) == (given.level is None):
        raise BadInput("exactly one of delta and level is expected", "input")
    if given.delta is not None and not 0 < abs(given.delta) <= LARGEST:
        raise BadInput(f"a change by 1 to {LARGEST}, either way, is expected", "input", "delta")
    if given.level is not None and not 0 <= given.level <= LARGEST:
        raise BadInput(f"a count from 0 to {LARGEST} is expected", "input", "level")
    slot = await slot_of(asking.context, given.slot_id)
    return AdjustStock(
        machine=asking.native, slot=slot.ref.native, delta=given.delta, level=given.level, asked_at=utc_now()
    )


WAYS: Mapping[type[Any], Way] = {AdjustStockInput: Way("slot", machine_of_slot, _adjustment)}
