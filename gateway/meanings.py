"""What the journal cannot know of vendors: their connectors tell it, by account."""

from collections.abc import Mapping
from functools import partial

from connectors.base import Connector, CountsTags, Links, TellsProgress
from domain.commands import Progress
from domain.facts import CommandWord, Fact, Observation
from domain.model import Capability
from domain.times import utc_now
from journal.appending import Meanings, TagOf

Connectors = Mapping[str, Connector]


def meanings(connectors: Connectors) -> Meanings:
    return Meanings(partial(_taken, connectors), partial(_progress, connectors))


def _taken(
    connectors: Connectors, account: str, observed: Observation, before: frozenset[str] | None, of: TagOf
) -> Fact | None:
    counter = connectors.get(account)
    if not isinstance(counter, CountsTags):
        return None
    links = Links(products={tag: product for tag, (product, _) in of.items()}, names=dict(of.values()))
    return counter.taken(observed, before, links, utc_now())


def _progress(connectors: Connectors, account: str, kind: Capability, word: CommandWord) -> Progress | None:
    teller = connectors.get(account)
    return teller.progress(kind, word) if isinstance(teller, TellsProgress) else None
