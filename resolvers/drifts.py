"""How the answers of an account's vendor differ from what they are taken to be."""

import asyncio
from collections.abc import Sequence

from sqlalchemy.exc import SQLAlchemyError

from domain.drift import Drift, joined
from journal import drifts
from resolvers.context import Info
from resolvers.sources import Source

MOST = 100


async def seen(root: Source, info: Info) -> Sequence[Drift]:
    """What all processes have counted; what this one has, where the store does not answer."""
    engine, counted = info.context.graph.journal.engine, root.account.drifts
    try:
        kept = await asyncio.to_thread(drifts.kept, engine, root.key)
    except SQLAlchemyError:
        return joined(counted.seen)[:MOST]
    return joined(kept, counted.untold)[:MOST]
