"""The graph of a gateway's configuration, asked twice in one process: by graphql-core, and by compiled operations."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import strawberry
from graphql import DocumentNode, execute

from compiled import Compiler, Keeper, Memory, Pieces, Unusual
from connectors.http import new_client
from gateway.answers import encoded, in_bytes
from gateway.app import connected, sources, tenants
from gateway.meanings import meanings
from gateway.settings import load
from journal.bus import Bus
from journal.journal import Journal
from journal.store import open_store
from resolvers.context import Context, Graph, Viewer
from resolvers.cursors import CursorSigner
from resolvers.dispatcher import Dispatcher
from schema.root import REPLACED


@dataclass(slots=True)
class Compared:
    """`same`: how often both answered, `joined` of those of pieces that were there, and how often graphql-core had to,
    by the reason."""

    schema: strawberry.Schema
    graph: Graph
    same: int = 0
    joined: int = 0
    left: dict[str, int] = field(default_factory=dict)

    async def by_core(self, document: DocumentNode, viewer: Viewer, variables: Mapping[str, Any]) -> Any:
        found = execute(
            self.schema._schema,
            document,
            context_value=Context(self.graph, viewer),
            variable_values=dict(variables),
        )
        return found if not hasattr(found, "__await__") else await found

    async def compiled(self, document: DocumentNode, viewer: Viewer, variables: Mapping[str, Any]) -> Any:
        """Twice where there are pieces, and then joined of them. Raises Unusual, or what a resolver raised."""
        operation = Compiler(self.schema, REPLACED).operation(document)
        assert operation is not None
        keeper = Keeper()
        while True:
            pieces = Pieces(keeper, viewer.role, in_bytes)
            answer = await operation.execute(Context(self.graph, viewer), variables, memory=Memory(pieces))
            if not pieces.made:
                self.joined += pieces.found > 0
                return answer

    async def compare(self, document: DocumentNode, viewer: Viewer, variables: Mapping[str, Any]) -> None:
        """Both answer the same, or graphql-core answers with an error and the compiled operation not at all."""
        expected = await self.by_core(document, viewer, variables)
        told = _steady(_read(expected.data))
        reason: Exception | None = None
        try:
            answer = _steady(_read(await self.compiled(document, viewer, variables)))
        except Exception as error:  # noqa: BLE001  whatever it is, graphql-core answers then
            reason = error
        if reason is not None:
            assert expected.errors, f"{reason!r} where graphql-core had no error"
            name = str(reason) if isinstance(reason, Unusual) else type(reason).__name__
            self.left[name] = self.left.get(name, 0) + 1
            return
        assert not expected.errors, expected.errors
        if answer != told:  # a time has gone on, or a vendor was asked anew: then graphql-core differs, too
            again = await self.by_core(document, viewer, variables)
            assert _steady(_read(again.data)) != told, _difference(answer, told)
            return
        assert list(_keys(answer)) == list(_keys(told))
        self.same += 1


def _read(answer: Any) -> Any:
    """As it goes out, for a part of it may be written already."""
    return json.loads(encoded(answer))


def _difference(ours: Any, core: Any, path: str = "") -> str:
    """The first place where they differ."""
    if isinstance(ours, dict) and isinstance(core, dict) and ours.keys() == core.keys():
        return next(_difference(ours[key], core[key], f"{path}.{key}") for key in core if ours[key] != core[key])
    if isinstance(ours, list) and isinstance(core, list) and len(ours) == len(core):
        pairs = enumerate(zip(ours, core, strict=True))
        return next(_difference(a, b, f"{path}[{place}]") for place, (a, b) in pairs if a != b)
    return f"at {path}: {ours!r}, and graphql-core {core!r}"


def _steady(answer: Any) -> Any:
    """Without what is computed from the time at which it is asked."""
    if isinstance(answer, dict):
        return {key: _steady(value) for key, value in answer.items() if not key.endswith("resetsAt")}
    return [_steady(item) for item in answer] if isinstance(answer, list) else answer


def _keys(answer: Any) -> Any:
    """In the order in which they are answered."""
    if isinstance(answer, dict):
        for key, value in answer.items():
            yield key
            yield from _keys(value)
    elif isinstance(answer, list):
        for item in answer:
            yield from _keys(item)


@asynccontextmanager
async def comparing(file: Path, schema: strawberry.Schema) -> AsyncIterator[Compared]:
    """`file`: a configuration."""
    settings = load(file)
    store = open_store(settings.store.url.get_secret_value())
    async with new_client() as client:
        connectors = connected(settings, client)
        journal = Journal(store, Bus(), meanings(connectors))
        await journal.start()
        accounts = sources(settings, connectors, journal)
        graph = Graph(tenants(settings), accounts, CursorSigner(b"x" * 32), journal, Dispatcher(journal))
        try:
            yield Compared(schema, graph)
        finally:
            for source in accounts.values():
                await source.aclose()
            await journal.close()
            store.dispose()
