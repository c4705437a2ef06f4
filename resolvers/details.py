"""What some vendors tell of one machine at a time: each asked for by itself, and kept for a while."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from connectors.backoffice import ReadsConnectivity, ReadsSaleMetadata, ReadsTerminal
from connectors.base import Connector
from connectors.reading import ReadsCash, ReadsConfig, ReadsSession
from domain.backoffice import SaleMetadata
from domain.details import MachineCash, MachineConfig, MachineSession
from domain.errors import VendorError
from domain.model import Connectivity
from domain.terminals import MachineTerminal
from resolvers.cache import Cache, Cached, Tally

MACHINES = 4_096  # of which something is kept
SALES = 20_000
AT_ONCE = 1.0  # seconds: what is asked of this moment
T = TypeVar("T")
Late = Callable[[float], VendorError]


class Detail(Generic[T]):
    def __init__(self, read: Callable[[str], Awaitable[T]], seconds: float, late: Late) -> None:
        self._read = read
        self._cache: Cache[str, T] = Cache(ttl=seconds, size=MACHINES, late=late)

    async def get(self, machine: str, timeout: float) -> T:  # noqa: ASYNC109  see Cache
        """Raises VendorError."""
        return (await self._cache.get(machine, lambda: self._read(machine), timeout)).value

    @property
    def counts(self) -> Tally:
        return self._cache.counts

    def forget(self, machine: str) -> None:
        self._cache.forget(machine)

    async def aclose(self) -> None:
        await self._cache.aclose()


class Details:
    """One account's; None is what its vendor does not tell."""

    def __init__(self, has: Connector, seconds: float, late: Late) -> None:
        self.session: Detail[MachineSession | None] | None = (
            Detail(has.session, seconds, late) if isinstance(has, ReadsSession) else None
        )
        self.cash: Detail[MachineCash] | None = Detail(has.cash, seconds, late) if isinstance(has, ReadsCash) else None
        self.config: Detail[MachineConfig] | None = (
            Detail(has.config, seconds, late) if isinstance(has, ReadsConfig) else None
        )
        self.connectivity: Detail[Connectivity] | None = (
            Detail(has.connectivity, min(seconds, AT_ONCE), late) if isinstance(has, ReadsConnectivity) else None
        )
        self.terminal: Detail[MachineTerminal] | None = (
            Detail(has.terminal, seconds, late) if isinstance(has, ReadsTerminal) else None
        )

        self._has = has
        self._metadata: Cache[str, SaleMetadata] = Cache(ttl=seconds, size=SALES, late=late)

    async def metadata(
        self,
        sales: Sequence[str],
        timeout: float,  # noqa: ASYNC109  see Cache
    ) -> Mapping[str, Cached[SaleMetadata] | VendorError]:
        """By native id of the sale. Only where the connector reads it."""
        assert isinstance(self._has, ReadsSaleMetadata)
        at_once = self._has.metadata_at_once
        return await self._metadata.get_many(sales, self._has.sale_metadata, timeout, at_once=at_once)

    @property
    def _all(self) -> Iterable[Detail[Any]]:
        told: Sequence[Detail[Any] | None] = (
            self.session,
            self.cash,
            self.config,
            self.connectivity,
            self.terminal,
        )
        return [detail for detail in told if detail is not None]

    @property
    def counts(self) -> Tally:
        return Tally.total([self._metadata.counts, *(detail.counts for detail in self._all)])

    def forget(self, machine: str) -> None:
        """Something was done to it."""
        for detail in self._all:
            detail.forget(machine)

    async def aclose(self) -> None:
        for detail in self._all:
            await detail.aclose()
        await self._metadata.aclose()
