"""Edges of a slot, and the slot behind an id."""

from collections.abc import Awaitable

from domain.model import Machine, Product, Slot
from domain.refs import Kind, Ref
from resolvers.context import Context, Info


def machine(root: Slot, info: Info) -> Machine | Awaitable[Machine | None] | None:
    return info.context.loaders.machines.get(root.machine_ref)


def product(root: Slot, info: Info) -> Product | Awaitable[Product | None] | None:
    return info.context.loaders.products.get(root.product_ref)


async def find(context: Context, ref: Ref) -> Slot | None:
    """A slot's native id begins with its machine's, up to the first slash."""
    found = context.loaders.slots.get(Ref(Kind.MACHINE, ref.account, ref.native.split("/", 1)[0]))
    slots = await found if isinstance(found, Awaitable) else found
    return next((slot for slot in slots or () if slot.ref == ref), None)
