"""Every kind of order, by what is asked with it."""

from collections.abc import Mapping

from domain import backoffice, catalogue, estate, orders, promotions, upkeep
from domain.capabilities import Capability
from domain.orders import MachineOrder, Order
from domain.people_orders import PEOPLE_ORDERS

EVERY_ORDER: Mapping[Capability, type[Order]] = {
    **orders.ORDERS,
    **PEOPLE_ORDERS,
    **catalogue.ORDERS,
    **estate.ORDERS,
    **promotions.ORDERS,
    **upkeep.ORDERS,
    **backoffice.ORDERS,
}
OF_MACHINES = frozenset(kind for kind, order in EVERY_ORDER.items() if issubclass(order, MachineOrder))
