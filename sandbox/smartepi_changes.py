"""Creating, changing and deleting SmartEPI's records, each change against the version it was made for."""

from collections.abc import Mapping
from typing import Any

from sandbox.smartepi_gate import Problem
from sandbox.smartepi_records import EMPLOYEES, GROUPS, PRODUCTS, Item, Kind, Record, Store


class Changes:
    def __init__(self, store: Store) -> None:
        self._store = store

    def find(self, kind: Kind, key: str) -> Item:
        item = self._store.find(kind.path, key)
        if item is None:
            raise Problem(404, "not_found", f"There is no {key!r} among your {kind.path}.")
        return item

    def create(self, kind: Kind, sent: Mapping[str, Any], now: int) -> Item:
        given = self._checked(kind, sent, None)
        if not given.get("name"):
            raise Problem(400, "bad_request", "name is needed.")
        blank = dict.fromkeys((*kind.texts, *kind.references))
        members: Record = blank | {name: [] for name in kind.nested} | given
        if kind is EMPLOYEES and members["status"] is None:
            members["status"] = "ACTIVE"
        return self._store.add(kind, members, now)

    def update(self, kind: Kind, key: str, sent: Mapping[str, Any], if_match: str | None) -> Item:
        """What is not sent, or sent as null, stays."""
        item = self.find(kind, key)
        _check_version(item, if_match, sent.get("_version"))
        item.record |= self._checked(kind, sent, item)
        item.version += 1
        return item

    def delete(self, kind: Kind, key: str, if_match: str | None, version: str | None) -> Item:
        item = self.find(kind, key)
        _check_version(item, if_match, version)
        if any(key in self._pointing(record, kind) for record in self._store.records(EMPLOYEES)):
            raise Problem(409, "resource_in_use", f"Employees belong to {key!r}.")
        self._store.remove(kind, item)
        return item

    @staticmethod
    def _pointing(record: Record, kind: Kind) -> set[Any]:
        return {record[name] for name, path in EMPLOYEES.references.items() if path == kind.path}

    def _checked(self, kind: Kind, sent: Mapping[str, Any], item: Item | None) -> Record:
        given = {name: value for name, value in sent.items() if value is not None and name != "_version"}
        unknown = set(given) - {*kind.texts, *kind.references, *kind.nested}
        if unknown:
            raise Problem(400, "bad_request", f"Unknown: {', '.join(sorted(unknown))}.")
        for name in (*kind.texts, *kind.references):
            if name in given and not (isinstance(given[name], str) and given[name]):
                raise Problem(400, "bad_request", f"{name} must be a text.")
        for name in kind.nested:
            if name in given:
                given[name] = self._nested(kind, name, given[name], item)
        self._check_references(kind, given)
        self._check_unique(kind, given, item)
        return given

    def _nested(self, kind: Kind, name: str, rows: Any, item: Item | None) -> list[Record]:
        if not isinstance(rows, list) or not all(
            isinstance(row, dict) and set(row) <= kind.nested[name] for row in rows
        ):
            raise Problem(400, "bad_request", f"{name} must be a list of {', '.join(sorted(kind.nested[name]))}.")
        return _upserted(name, rows, item.record[name] if item else []) if kind is PRODUCTS else rows

    def _check_references(self, kind: Kind, given: Record) -> None:
        wanted = [(path, given[name]) for name, path in kind.references.items() if name in given]
        if kind is GROUPS:
            wanted += [("products", rule.get("productId")) for rule in given.get("rules", ())]
        for path, key in wanted:
            if self._store.find(path, key) is None:
                raise Problem(422, "invalid_reference", f"There is no {key!r} among your {path}.")

    def _check_unique(self, kind: Kind, given: Record, item: Item | None) -> None:
        others = [other.record for other in self._store.items(kind.path) if other is not item]
        for name in kind.unique:
            value = given.get(name)
            if value and any((other[name] or "").casefold() == value.casefold() for other in others):
                raise Problem(409, f"duplicate_{name}", f"{name} {value!r} is taken.")


def _check_version(item: Item, if_match: str | None, version: object) -> None:
    """By the header If-Match, or else by a `_version`, which carries no quotes."""
    if if_match is None and version is None:
        raise Problem(400, "bad_request", "If-Match is needed.")
    sent = if_match if if_match is not None else f'"{version}"'
    if sent != item.etag:
        raise Problem(409, "conflict", f"{item.record['id']} has changed since it was read.")


def _upserted(name: str, rows: list[Record], known: list[Record]) -> list[Record]:
    """Rows with an id change the known one of that id, those without are added, and none goes away."""
    found = {row["id"]: row for row in known}
    for row in rows:
        key = row.get("id") or f"{name[:4]}-{len(found) + 1}"
        if row.get("id") and key not in found:
            raise Problem(422, "invalid_reference", f"There is no {key!r} among the {name}.")
        found[key] = found.get(key, {}) | row | {"id": key}
    return list(found.values())
