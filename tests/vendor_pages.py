"""The tables of operations in the vendors' pages, written from the connectors: `make docs`."""

import re
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from connectors.operations import Operation
from domain.model import Vendor

PAGES = Path(__file__).parent.parent / "docs" / "vendors"
TABLE = re.compile(r"(?<=<!-- operations -->\n).*?(?=<!-- /operations -->\n)", re.DOTALL)


def page(vendor: Vendor) -> Path:
    return PAGES / f"{vendor.value}.md"


def operations(vendor: Vendor) -> Mapping[str, Operation]:
    package = f"connectors.{vendor.value}"
    client = f"{package}.client"
    found: Mapping[str, Operation] = import_module(client if find_spec(client) else package).OPERATIONS
    return found


def table(vendor: Vendor) -> str:
    rows = [
        f"| `{one.name}` | `{one.method} {one.path}` | {'documented' if one.documented else 'assumed'} |\n"
        for one in operations(vendor).values()
    ]
    return "".join(["| operation | method and path | path is |\n", "|---|---|---|\n", *rows])


def filled(text: str, vendor: Vendor) -> str:
    return TABLE.sub(lambda _: table(vendor), text)


def main() -> None:
    for vendor in Vendor:
        path = page(vendor)
        path.write_text(filled(path.read_text(encoding="utf-8"), vendor), encoding="utf-8")
    import_module("tests.coverage.page").main()  # it needs the tables from here


if __name__ == "__main__":
    main()
