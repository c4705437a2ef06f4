"""`docs/coverage.md`, written from the connectors' tables of operations and from how each is reached: `make docs`."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from connectors.operations import Operation
from domain.model import Vendor
from tests.coverage.all import BY_HAND, COMMANDS, REACHES
from tests.coverage.documented import DOCUMENTS, Document
from tests.coverage.hooks import HOOKS
from tests.coverage.reach import Reach
from tests.vendor_pages import operations

PAGE = Path(__file__).parent.parent.parent / "docs" / "coverage.md"
HEAD = """# Coverage

Every operation that the vendors' documents describe, and what of the graph reaches it. `make docs` writes this page;
a test asks each of these of a gateway over the sandbox, and looks whether the vendor was asked just so. Where a
document has no method or path, the one that is assumed stands here: [to be changed](operating.md#accountsendpoints).
"""
BESIDES = "No document tells of this, but others' programs ask it; where it is not there, nothing is lost by it.\n"
NAMES = {
    Vendor.SMARTVEND: "SmartVend",
    Vendor.LIVELLO: "Livello",
    Vendor.VENDNOVATION: "VendNovation",
    Vendor.SMARTEPI: "SmartEPI",
    Vendor.EATMACHINE: "EatMachine",
}


def text() -> str:
    return HEAD + "".join(f"\n{section}" for vendor in Vendor for section in _sections(vendor))


def _sections(vendor: Vendor) -> Iterator[str]:
    document = DOCUMENTS[vendor]
    yield f"## {NAMES[vendor]}\n"
    yield _table(("operation", "method and path", "in the graph"), _operations(vendor, document))
    if document.besides:
        yield f"{BESIDES}\n{_table(('operation', 'method and path', 'in the graph'), _besides(vendor, document))}"
    if document.commands:
        yield _table(("command", "in the graph"), _commands(vendor, document))
    if document.webhooks:
        yield _table(("webhook", "in the graph"), _webhooks(vendor, document))


def _operations(vendor: Vendor, document: Document) -> Iterator[Sequence[str]]:
    asked = operations(vendor)
    for name, one in document.operations.items():
        where = f"`{one.method} {one.path}`" if name not in asked else _asked(asked[name])
        yield f"`{name}`", where, _names(REACHES[vendor].get(name, ()))
    for name, what in (document.by_hand or {}).items():
        yield f"`{name}`", what, f"`{BY_HAND[vendor][name]}`"


def _besides(vendor: Vendor, document: Document) -> Iterator[Sequence[str]]:
    return ((f"`{name}`", _asked(operations(vendor)[name]), _names(REACHES[vendor][name])) for name in document.besides)


def _asked(one: Operation) -> str:
    return f"`{one.method} {one.path}`"


def _commands(vendor: Vendor, document: Document) -> Iterator[Sequence[str]]:
    return ((f"`{name}`", _names(COMMANDS[vendor].get(name, ()))) for name in document.commands)


def _webhooks(vendor: Vendor, document: Document) -> Iterator[Sequence[str]]:
    return ((f"`{name}`", _listed(HOOKS[vendor][name].coordinates)) for name in document.webhooks)


def _names(reaches: Sequence[Reach]) -> str:
    return _listed([name for reach in reaches for name in reach.coordinates])


def _listed(coordinates: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in dict.fromkeys(coordinates)) or "**nothing**"


def _table(head: Sequence[str], rows: Iterator[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines).replace("| --- ", "|---").replace("--- |", "---|")


def main() -> None:
    PAGE.write_text(text(), encoding="utf-8")


if __name__ == "__main__":
    main()
