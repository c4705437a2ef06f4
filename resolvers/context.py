"""Who asks, what they may see, and how much time is left: one per request."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import strawberry

from domain.model import Organization, Role
from domain.refs import Ref
from journal.audit import Actor
from journal.journal import Journal
from journal.quotas import Quota
from resolvers.cursors import CursorSigner
from resolvers.dispatcher import Dispatcher
from resolvers.exporting import Exporting
from resolvers.loaders import Loaders
from resolvers.lookahead import Selection
from resolvers.sources import Source

REQUEST_SECONDS = 7.5  # of waiting for vendors: with what the gateway itself needs, a request takes no more than 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """`organizations`: the keys of those it may see, all resolved; a key of the configuration has no wildcard here.

    `introspection`: whether it may ask for the schema where that is not for everybody."""

    name: str
    role: Role
    organizations: frozenset[str]
    introspection: bool = False


@dataclass(frozen=True, slots=True)
class Graph:
    """What outlives requests: the tenants of the configuration and their accounts, by key, and what they reported.

    `quotas(key, organization)`: what a key of this name, and the organization, may ask for."""

    tenants: Mapping[str, Organization]
    sources: Mapping[str, Source]
    signer: CursorSigner
    journal: Journal
    dispatcher: Dispatcher
    quotas: Callable[[str, str], Sequence[Quota]] = lambda *_: ()
    exports: Exporting = field(default_factory=Exporting)


class Context:
    """`resumed`: the cursor that a reconnecting client has read up to; it goes before the `after` it asked with.

    `address` and `request_id` tell where the request came from, and which it is."""

    def __init__(
        self,
        graph: Graph,
        viewer: Viewer,
        *,
        resumed: str | None = None,
        address: str | None = None,
        request_id: str | None = None,
    ) -> None:
        self.graph = graph
        self.viewer = viewer
        self.actor = Actor(name=viewer.name, address=address, request_id=request_id)
        self.resumed = resumed
        self._began = asyncio.get_running_loop().time()
        self.sources: Sequence[Source] = [
            source for source in graph.sources.values() if source.organization_key in viewer.organizations
        ]
        self.loaders = Loaders(self)
        self.selections: dict[tuple[int, ...], Selection] = {}

    def anew(self) -> "Context":
        """For the next message of a stream: what an earlier one loaded must not be shown again."""
        return Context(self.graph, self.viewer)

    def after(self) -> "Context":
        """For what goes on when the request has been answered, on behalf of who sent it."""
        found = self.anew()
        found.actor = self.actor
        return found

    def patience(self, seconds: float) -> float:
        """How long to wait for a source: its own limit, or what is left of the request's."""
        return min(seconds, self.left(REQUEST_SECONDS))

    def left(self, seconds: float) -> float:
        """What is left of so many seconds since the request came."""
        return max(0.0, self._began + seconds - asyncio.get_running_loop().time())

    def source(self, account: str) -> Source | None:
        """The account, where the viewer may see it; a foreign one and one that never was are both None."""
        source = self.graph.sources.get(account)
        return source if source is not None and source.organization_key in self.viewer.organizations else None

    def tenant_ref(self, source: Source) -> Ref:
        return self.graph.tenants[source.organization_key].ref

    def tenant(self, key: str) -> Organization | None:
        return self.graph.tenants.get(key) if key in self.viewer.organizations else None

    @property
    def tenants(self) -> list[Organization]:
        return [tenant for key, tenant in self.graph.tenants.items() if key in self.viewer.organizations]


Info = strawberry.Info[Context, None]
