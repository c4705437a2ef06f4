"""Documents that are asked for by name: those that an operator trusts, and those that clients have sent before.

The former stand in manifests, as tools write them: Apollo's `generate-persisted-query-manifest`, Relay's compiler, and
the client preset of GraphQL Code Generator. The latter follow Apollo's protocol of automatic persisted queries."""

from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
from cachetools import LRUCache
from pydantic import Field

from domain.errors import BadInput, Forbidden, UnknownDocument
from gateway.documents import LONGEST_KEPT
from gateway.fields import Section, Text
from gateway.requests import Operation

APOLLO = "apollo-persisted-query-manifest"
ALGORITHM = "sha256:"


class DocumentsError(Exception):
    """The file, and the reason."""


class NotTrusted(Forbidden):
    def __init__(self) -> None:
        super().__init__("only documents that the operator trusts are answered here, and this is none of them")


class DocumentSettings(Section):
    """`kept`: how many that clients named by their hash."""

    directory: Text | None = None
    trusted_only: bool = False
    kept: int = Field(default=1_000, ge=0, le=100_000)


class Texts:
    """`only`: whether any document is refused that is not trusted. `trusted`: texts by their ids."""

    def __init__(self, trusted: Mapping[str, str] | None = None, *, only: bool = False, kept: int = 1_000) -> None:
        trusted = trusted or {}
        self._trusted = {_digest(text): text for text in trusted.values()} | dict(trusted)
        self._only = only
        self._kept: LRUCache[str, str] = LRUCache(kept)

    def find(self, operation: Operation) -> str:
        """The document that an operation is of. Raises UnknownDocument, NotTrusted and BadInput."""
        name = operation.document_id or operation.sha256
        if operation.query is not None:
            return self._sent(operation.query, name)
        assert name is not None
        found = self._trusted.get(name) or self._trusted.get(_plain(name)) or self._kept.get(_plain(name))
        if found is None:
            raise NotTrusted if self._only else UnknownDocument
        return found

    def keep(self, operation: Operation) -> None:
        """What was sent with its hash, for those who send the hash alone."""
        query, name = operation.query, operation.sha256
        if query is not None and name is not None and len(query) <= LONGEST_KEPT and self._kept.maxsize:
            self._kept[_plain(name)] = query

    def _sent(self, query: str, name: str | None) -> str:
        if self._only and _digest(query) not in self._trusted:
            raise NotTrusted
        if name is not None and self._trusted.get(name) != query and _digest(query) != _plain(name):
            raise BadInput("provided sha does not match query")
        return query


def texts(settings: DocumentSettings, *, production: bool) -> Texts:
    """Raises DocumentsError. Where one develops, all documents are answered."""
    trusted: dict[str, str] = {}
    if settings.directory is not None:
        for path in _files(Path(settings.directory)):
            for name, text in _manifest(path):
                if trusted.setdefault(name, text) != text:
                    raise DocumentsError(f"{path}: {name} is the id of another document too")
    if settings.trusted_only and not trusted:
        raise DocumentsError("there is no document to trust, and trusted_only is set")
    return Texts(trusted, only=production and settings.trusted_only, kept=settings.kept)


def _files(directory: Path) -> list[Path]:
    try:
        return sorted(path for path in directory.iterdir() if path.suffix == ".json")
    except OSError as error:
        raise DocumentsError(f"{directory}: cannot be read: {error.strerror}") from None


def _manifest(path: Path) -> Iterator[tuple[str, str]]:
    """Ids and texts."""
    try:
        told = orjson.loads(path.read_bytes())
    except OSError as error:
        raise DocumentsError(f"{path}: cannot be read: {error.strerror}") from None
    except orjson.JSONDecodeError as error:
        raise DocumentsError(f"{path}: is not JSON: {error}") from None
    for name, text in _pairs(told):
        if not isinstance(name, str) or not name or not isinstance(text, str) or not text:
            raise DocumentsError(f"{path}: an object of ids and documents is expected, or a manifest of Apollo's")
        yield name, text


def _pairs(told: Any) -> Iterator[tuple[Any, Any]]:
    if not isinstance(told, dict):
        yield None, None
    elif told.get("format") != APOLLO:
        yield from told.items()
    elif told.get("version") != 1 or not isinstance(told.get("operations"), list):
        yield None, None
    else:
        for one in told["operations"]:
            yield (one.get("id"), one.get("body")) if isinstance(one, dict) else (None, None)


def _digest(text: str) -> str:
    return sha256(text.encode(errors="replace")).hexdigest()


def _plain(name: str) -> str:
    """A hash, without what it was made by."""
    return name.removeprefix(ALGORITHM).lower()
