"""What some vendors tell of an organization, a machine or a code, each asked for by itself."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, TypeVar

from connectors.reading import ReadsIngredients, ReadsProductLines, ReadsPromoCodes, ReadsTaxRates
from domain.capabilities import Capability
from domain.commands import Command, CommandStatus
from domain.details import Ingredient, ProductLine, TaxRate
from domain.errors import BadInput, Forbidden
from domain.model import Machine, MachineGroup, Organization, Role
from domain.promotions import PromoCode
from domain.refs import Kind, Ref
from resolvers import people
from resolvers.context import Context, Info
from resolvers.promo_orders import CODE
from resolvers.sources import Source

T = TypeVar("T")
Read = Callable[[str], Awaitable[T]]


async def tax_rates(root: Organization, info: Info) -> Sequence[TaxRate] | None:
    found: Sequence[TaxRate] | None = await _of_organization(info.context, root, ReadsTaxRates, "tax_rates")
    return found


async def product_lines(root: Organization, info: Info) -> Sequence[ProductLine] | None:
    found: Sequence[ProductLine] | None = await _of_organization(info.context, root, ReadsProductLines, "product_lines")
    return found


async def _of_organization(context: Context, organization: Organization, role: type, name: str) -> Any:
    """None where its vendor has nothing of the kind, and for a tenant, which no vendor knows."""
    source = context.source(organization.ref.account)
    if source is None or not isinstance(source.connector, role):
        return None
    return await _kept(context, source, name, organization.ref.native)


async def ingredients(root: Machine, info: Info) -> Sequence[Ingredient] | None:
    source = info.context.graph.sources[root.ref.account]
    if not isinstance(source.connector, ReadsIngredients):
        return None
    found: Sequence[Ingredient] = await _kept(info.context, source, "ingredients", root.ref.native)
    return found


async def _kept(context: Context, source: Source, name: str, native: str) -> Any:
    """Raises VendorError."""
    load = partial(getattr(source.connector, name), native)
    return (await source.detail((name, native), load, context.patience(source.seconds))).value


async def promo_code(root: object, info: Info, account_id: str, code: str) -> PromoCode | None:
    """A code is worth money, so that not everybody may see it. It is never kept, for it changes as it is used."""
    if info.context.viewer.role is Role.VIEWER:
        raise Forbidden("promo codes take a key of role OPERATOR")
    ref = Ref.parse(account_id)
    mine = ref is not None and ref.kind is Kind.ACCOUNT
    source = info.context.source(ref.account) if ref is not None and mine else None
    if source is None or not isinstance(source.connector, ReadsPromoCodes):
        return None
    if not CODE.fullmatch(code):
        raise BadInput("a code has five digits", "code")
    return await source.connector.promo_code(code)


def fleet(root: Command, info: Info) -> MachineGroup | None:
    """The fleet that it made."""
    result = root.result
    done = root.kind is Capability.CREATE_FLEET and root.status is CommandStatus.SUCCEEDED
    return MachineGroup(id=result["uuid"], name=result["name"]) if done and isinstance(result, dict) else None


def promo_codes(root: Command, info: Info) -> Sequence[str] | None:
    made = root.result.get("codes") if isinstance(root.result, dict) else None
    if root.kind is not Capability.CREATE_PROMO_CODES or info.context.viewer.role is Role.VIEWER:
        return None
    return made if isinstance(made, list) else None


async def result(root: Command, info: Info) -> Any:
    """Less promo codes for viewers; of people it is as they may see it."""
    if root.kind is not Capability.CREATE_PROMO_CODES:
        return await people.result(root, info)
    hidden = info.context.viewer.role is Role.VIEWER
    if not hidden or not isinstance(root.result, dict):
        return root.result
    return {name: value for name, value in root.result.items() if name != "codes"}
