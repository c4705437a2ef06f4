"""Rules of the house, held by tests."""

from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import httpx2
import pytest
from sqlalchemy import create_engine
from strawberry.types.base import StrawberryObjectDefinition

import domain
from connectors.registry import CONNECT
from domain import model, paging, periods
from journal import audit, reports
from journal.appending import NO_MEANINGS
from journal.bus import Bus
from journal.journal import Journal
from resolvers.context import Viewer
from resolvers.sales_report import SalesReport
from resolvers.sources import CacheTimes, Source
from resolvers.stock_report import StockReport
from schema.root import build
from tests.scripted import account

CONNECTOR = CONNECT[model.Vendor.EATMACHINE](account(vendor=model.Vendor.EATMACHINE), httpx2.AsyncClient())
ACCOUNT = Source(CONNECTOR, CacheTimes(), Journal(create_engine("sqlite://"), Bus(), NO_MEANINGS))
ELSEWHERE: dict[str, Any] = {  # what is shown and is not a class of the domain by the same name
    "VendorAccount": ACCOUNT,
    "Viewer": Viewer,
    "WebhookHealth": reports.Counts,
    "AuditRecord": audit.Record,
    "ReportPeriod": periods.Period,
    "SalesReport": SalesReport,
    "StockReport": StockReport,
}
DOMAIN = [import_module(f"domain.{found.name}") for found in iter_modules(domain.__path__)]
WITHOUT_A_VALUE = {"Query", "Mutation", "Subscription", "Node"}  # roots, and what others implement


def types() -> list[tuple[str, StrawberryObjectDefinition]]:
    found = build()._schema.type_map.items()
    definitions = ((name, one.extensions.get("strawberry-definition")) for name, one in found)
    return [
        (name, definition)
        for name, definition in definitions
        if isinstance(definition, StrawberryObjectDefinition)
        and not definition.is_input
        and name not in WITHOUT_A_VALUE
    ]


def behind(name: str) -> Any:
    """What is shown as the type of this name: a class, or, where a class does not say what it holds, one of it."""
    if name.endswith("Connection"):
        return paging.Connection
    if name.endswith("Edge"):
        return paging.Edge
    return ELSEWHERE.get(name) or next(getattr(module, name) for module in DOMAIN if hasattr(module, name))


TYPES = pytest.mark.parametrize(("name", "definition"), types(), ids=[name for name, _ in types()])


@TYPES
def test_a_field_without_a_resolver_is_an_attribute_of_what_it_shows(
    name: str, definition: StrawberryObjectDefinition
) -> None:
    shown = behind(name)
    known = {*getattr(shown, "__dataclass_fields__", ()), *dir(shown)}
    assert {field.python_name for field in definition.fields if field.base_resolver is None} <= known


@TYPES
def test_what_such_a_field_shows_is_there_already(name: str, definition: StrawberryObjectDefinition) -> None:
    """It is read and never called: neither a method nor a coroutine."""
    shown = behind(name)
    plain = [field.python_name for field in definition.fields if field.base_resolver is None]
    assert [attribute for attribute in plain if callable(getattr(shown, attribute, None))] == []
