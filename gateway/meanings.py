"""What the journal cannot know of vendors: their connectors tell it, by account."""

from collections.abc import Mapping, Sequence
from functools import partial

from connectors.acting import TellsProgress
from connectors.base import Connector
from connectors.reporting import CountsTags, Links
from domain.capabilities import Capability
from domain.commands import Progress
from domain.facts import CommandWord, Fact, Observation
from domain.times import utc_now
from journal.appending import Meanings, TagOf

Connectors = Mapping[str, Connector]


def meanings(connectors: Connectors) -> Meanings:
    return Meanings(partial(_taken, connectors), partial(_progress, connectors), partial(_moved, connectors))


def _taken(
    connectors: Connectors, account: str, observed: Observation, before: frozenset[str] | None, of: TagOf
) -> Fact | None:
    counter = connectors.get(account)
    if not isinstance(counter, CountsTags):
        return None
    return counter.taken(observed, before, _links(of), utc_now())


def _moved(
    connectors: Connectors, account: str, scan: Fact, before: frozenset[str] | None, of: TagOf
) -> Sequence[Fact]:
    counter = connectors.get(account)
    return counter.moved(scan, before, _links(of), utc_now()) if isinstance(counter, CountsTags) else ()


def _links(of: TagOf) -> Links:
    return Links(products={tag: product for tag, (product, _) in of.items()}, names=dict(of.values()))


def _progress(connectors: Connectors, account: str, kind: Capability, word: CommandWord) -> Progress | None:
    teller = connectors.get(account)
    return teller.progress(kind, word) if isinstance(teller, TellsProgress) else None
