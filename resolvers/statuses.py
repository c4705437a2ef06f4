"""Edges of what a list says about its sources."""

from domain.paging import SourceStatus
from resolvers.context import Info
from resolvers.sources import Source


def account(root: SourceStatus, info: Info) -> Source:
    return info.context.graph.sources[root.account_ref.account]
