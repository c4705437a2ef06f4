"""What an export is asked for, read from its address. Everything wrong with it is a BadInput."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import TypeVar

from starlette.datastructures import QueryParams

from domain.errors import BadInput
from domain.filters import SaleFilter
from domain.model import Vendor
from domain.sales import SaleKind
from resolvers.exporting import new_id
from schema.scalars import read_time

E = TypeVar("E", bound=Enum)

ID = re.compile(r"[A-Za-z0-9_-]{16,64}")
ONCE = frozenset({"id", "from", "to"})
SEVERAL = frozenset({"vendors", "accounts", "machines", "kinds"})


@dataclass(frozen=True, slots=True)
class Asked:
    id: str
    filter: SaleFilter


def read(given: QueryParams) -> Asked:
    """What stands several times counts as what stands with commas. A word that is not known is refused: an export of
    more than was meant would be taken for what was meant."""
    if unknown := sorted(given.keys() - ONCE - SEVERAL):
        raise BadInput(
            f"`{unknown[0]:.60}` is no parameter of an export: there are {', '.join(sorted(ONCE | SEVERAL))}"
        )
    several = {name: _several(given.getlist(name)) for name in SEVERAL if name in given}
    vendors, kinds = several.get("vendors"), several.get("kinds")
    return Asked(
        id=_id(given.get("id")),
        filter=SaleFilter(
            vendors=None if vendors is None else _words(Vendor, "vendors", vendors),
            kinds=None if kinds is None else _words(SaleKind, "kinds", kinds),
            accounts=several.get("accounts"),
            machines=several.get("machines"),
            from_=_time(given, "from"),
            to=_time(given, "to"),
        ),
    )


def _several(given: Sequence[str]) -> list[str]:
    """An empty text names nothing, and lets nothing through."""
    return [word for text in given for word in text.split(",") if word]


def _words(words: type[E], name: str, given: Sequence[str]) -> list[E]:
    known: Mapping[str, E] = words.__members__
    for word in given:
        if word not in known:
            raise BadInput(f"`{name}` takes {', '.join(known)}, and {word!r:.60} is none of them")
    return [known[word] for word in given]


def _time(given: QueryParams, name: str) -> datetime | None:
    """A `+` that was not encoded has become a space."""
    text = given.get(name)
    return None if text is None else read_time(text.replace(" ", "+"))


def _id(given: str | None) -> str:
    if given is None:
        return new_id()
    if not ID.fullmatch(given):
        raise BadInput("`id` takes 16 to 64 of A-Z, a-z, 0-9, - and _: leave it out, or pass that of `exportSales`")
    return given
