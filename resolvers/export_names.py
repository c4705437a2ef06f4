"""What an export says of sales besides what they hold: how machines and their organizations are called.

As it is known when the export begins; where a vendor does not tell, ids have to do."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from domain.errors import VendorError
from domain.model import Machine, Organization
from domain.refs import Ref
from domain.sales import Sale
from resolvers.context import Context
from resolvers.sources import Source
from resolvers.whole import HasRef, Whole

T = TypeVar("T", bound=HasRef)


@dataclass(frozen=True, slots=True)
class Names:
    """By account, and then by the vendor's id. None: the vendor has none, or did not tell."""

    machines: Mapping[str, Mapping[str, Machine] | None]
    organizations: Mapping[str, Mapping[str, Organization] | None]
    tenants: Mapping[str, Organization]
    ranked: frozenset[str]  # accounts whose vendor has organizations

    def machine(self, ref: Ref | None) -> Machine | None:
        return None if ref is None else (self.machines[ref.account] or {}).get(ref.native)

    def organization(self, sale: Sale) -> Organization:
        """Its machine's; the tenant where that is not told, and where the vendor has no organizations."""
        account = sale.ref.account
        machine = self.machine(sale.machine_ref)
        ref = None if machine is None or account not in self.ranked else machine.organization_ref
        if ref is None:
            return self.tenants[account]
        told = self.organizations[account]
        if told is None:
            return Organization(ref=ref, name=ref.native, parent_ref=None)
        return told.get(ref.native) or self.tenants[account]


async def names(context: Context, sources: Iterable[Source]) -> Names:
    among = list(sources)
    machines = await asyncio.gather(*(_list(context, source.machines) for source in among))
    organizations = await asyncio.gather(*(_list(context, source.organizations) for source in among))
    keys = [source.key for source in among]
    return Names(
        machines=dict(zip(keys, machines, strict=True)),
        organizations=dict(zip(keys, organizations, strict=True)),
        tenants={source.key: context.graph.tenants[source.organization_key] for source in among},
        ranked=frozenset(source.key for source in among if source.organizations is not None),
    )


async def _list(context: Context, whole: Whole[T] | None) -> Mapping[str, T] | None:
    found = None if whole is None else await context.loaders.lists.outcome(whole)
    return None if found is None or isinstance(found, VendorError) else found.value.by_native
