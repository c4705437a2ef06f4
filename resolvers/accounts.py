"""Who is asking, and the accounts that they may see."""

from domain.model import Organization
from journal.reports import Counts
from resolvers.context import Info, Viewer
from resolvers.sources import Source


def viewer(root: object, info: Info) -> Viewer:
    return info.context.viewer


def viewer_organizations(root: Viewer, info: Info) -> list[Organization]:
    return info.context.tenants


def connection(root: object, info: Info) -> list[Source]:
    return list(info.context.sources)


def organization(root: Source, info: Info) -> Organization:
    return info.context.graph.tenants[root.organization_key]


async def webhook(root: Source, info: Info) -> Counts | None:
    if not root.sends_webhooks:
        return None
    return (await info.context.loaders.webhooks()).get(root.key, Counts())
