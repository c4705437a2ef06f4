"""What is done about an operation before anything is executed: found, read, priced and charged."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from graphql import OperationType

from domain.errors import QueryTooComplex
from gateway.buckets import Bucket, Buckets
from gateway.documents import Document, Documents
from gateway.limits import LimitSettings, check_variables
from gateway.persisted import Texts
from gateway.requests import Operation
from resolvers.context import Viewer
from schema.costs import KEPT, KEPT_OBJECTS, REQUEST

READING = 16  # characters of a document that is not known yet, for 1


@dataclass(frozen=True, slots=True)
class Asked:
    """An operation whose document was found and read. `named`: it was asked for without its text."""

    document: Document
    name: str | None
    variables: dict[str, Any] | None
    named: bool

    @property
    def kind(self) -> OperationType | None:
        """None for what cannot be read, or has no such operation."""
        return self.document.operation(self.name)

    @property
    def follows(self) -> bool:
        """Whether it is a subscription."""
        return self.kind is OperationType.SUBSCRIPTION

    @property
    def changes(self) -> bool:
        """Whether it is a mutation."""
        return self.kind is OperationType.MUTATION


@dataclass(frozen=True, slots=True)
class Charge:
    """What an operation may cost, of that what its commands do, and where it was taken from."""

    cost: int
    least: int
    bucket: Bucket

    def settle(self, objects: int, requests: int) -> int:
        """What it did cost, by its commands, the objects in its answer and the requests to vendors that it took: the
        rest is given back."""
        return self._settled(1 + objects + max(requests * REQUEST, self.least))

    def cancel(self) -> int:
        """As `settle`, for what was not executed after all."""
        return self._settled(1)

    def settle_kept(self, objects: int) -> int:
        """As `settle`, for an answer that was kept: it was found and written, and not made."""
        return self._settled(KEPT + objects // KEPT_OBJECTS)

    def _settled(self, cost: int) -> int:
        cost = min(self.cost, cost)
        self.bucket.give_back(self.cost - cost)
        return cost


class Toll:
    """What a subscriber gives for its messages. What its opening was charged is for the first one, so that whoever
    comes back as soon as it may hears at least that."""

    __slots__ = ("_ahead", "_charge")

    def __init__(self, charge: Charge) -> None:
        self._charge = charge
        self._ahead = True

    def pay(self, paid: set[object]) -> None:
        """`paid`: the buckets that have given for this message already. For another subscriber it is only sent once
        more then. Raises RateLimited."""
        bucket = self._charge.bucket
        if self._ahead:
            self._ahead = False
        else:
            bucket.spend(1 if bucket in paid else self._charge.cost)
        paid.add(bucket)


class Admission:
    """`introspection`: whether everybody may ask the schema of itself, and not only whose key has the right to it."""

    def __init__(self, documents: Documents, texts: Texts, limits: LimitSettings, *, introspection: bool) -> None:
        self._introspection = introspection
        self._documents = documents
        self._texts = texts
        self._limits = limits
        self._buckets = Buckets(limits)

    async def find(self, operation: Operation, viewer: Viewer) -> Asked:
        """Raises VendgraphError."""
        check_variables(operation.variables, self._limits)
        text = self._texts.find(operation)
        if text not in self._documents:
            self._buckets.of(viewer.name).spend(min(len(text), self._limits.max_characters) // READING)
        document = await self._documents.read(text)
        if document.introspection and not (self._introspection or viewer.introspection):
            document = replace(document, errors=list(document.introspection))
        if not document.errors:
            self._texts.keep(operation)
        return Asked(document, operation.name, operation.variables, named=operation.query is None)

    def charge(self, asked: Asked, viewer: Viewer) -> Charge:
        """For an operation that is good. Raises QueryTooComplex and RateLimited."""
        price = asked.document.price(asked.name, asked.variables)
        cost, limit = price.most, self._limits.max_cost
        if cost > limit:
            raise QueryTooComplex(f"this may cost {cost}, and {limit} is the most: ask for less, or for shorter pages")
        bucket = self._buckets.of(viewer.name)
        bucket.spend(cost)
        return Charge(cost, price.least, bucket)

    def headers(self, viewer: Viewer) -> Mapping[str, str]:
        return self._buckets.of(viewer.name).headers()
