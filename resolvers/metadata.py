"""What goes with sales, of many of a page in the fewest requests."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from aiodataloader import DataLoader

from domain.backoffice import SaleMetadata
from domain.errors import VendorError
from domain.refs import Ref

if TYPE_CHECKING:
    from resolvers.context import Context


class Metadata:
    """Of accounts that have it; or the error that kept it from us."""

    def __init__(self, context: "Context") -> None:
        self._context = context
        self._loader: DataLoader[Ref, SaleMetadata] = DataLoader(self._load)

    async def get(self, sale: Ref) -> SaleMetadata:
        """Raises VendorError."""
        return await self._loader.load(sale)

    async def _load(self, sales: list[Ref]) -> list[Any]:
        found: dict[Ref, Any] = {}
        for account in dict.fromkeys(sale.account for sale in sales):
            await self._of(account, [sale for sale in sales if sale.account == account], found)
        return [found[sale] for sale in sales]

    async def _of(self, account: str, sales: Sequence[Ref], found: dict[Ref, Any]) -> None:
        source = self._context.graph.sources[account]
        told = await source.details.metadata([sale.native for sale in sales], self._context.patience(source.seconds))
        for sale in sales:
            outcome = told[sale.native]
            found[sale] = outcome if isinstance(outcome, VendorError) else outcome.value
