"""What a bulk is to do, as its run needs to know it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from domain.commands import UserError
from domain.errors import VendgraphError
from journal.intents import Intent
from resolvers.sources import Source

Look = Callable[[int, int], Awaitable[Intent]]  # of an item, for its command of that number; raises VendgraphError


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What was asked. `sources`: each item's account, None where it names nothing that could be.

    `looking()` is for items that are looked at together; `refused(index, error)` keeps in mind that there is no
    command."""

    sources: Sequence[Source | None]
    looking: Callable[[], Look]
    refused: Callable[[int, VendgraphError], Awaitable[UserError]]
