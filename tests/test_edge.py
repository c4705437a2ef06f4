"""The seam between resolvers and the graph's types."""

from typing import Any

import pytest

from domain import filters
from domain.model import Connectivity, Vendor
from domain.sales import SaleKind
from schema import inputs
from schema.edge import INPUTS, to_domain
from schema.root import build


def test_a_filter_reaches_a_resolver_as_the_domains_own() -> None:
    given = inputs.MachineFilter(vendors=[Vendor.LIVELLO], connectivity=Connectivity.ONLINE, search=None)
    assert to_domain(given) == filters.MachineFilter(vendors=(Vendor.LIVELLO,), connectivity=Connectivity.ONLINE)
    assert to_domain(inputs.SaleFilter()) == filters.SaleFilter()
    assert to_domain(inputs.SaleFilter(kinds=[])).kinds == ()
    assert to_domain(inputs.SaleFilter(kinds=[SaleKind.RETURN])).kinds == (SaleKind.RETURN,)


@pytest.mark.parametrize(("domain", "graph"), INPUTS.items(), ids=[graph.__name__ for graph in INPUTS.values()])
def test_a_filter_has_the_same_members_on_both_sides(domain: Any, graph: Any) -> None:
    assert list(domain.__dataclass_fields__) == list(graph.__dataclass_fields__)


def test_every_list_takes_a_page_and_says_so() -> None:
    sdl = build()._schema
    for kind in sdl.type_map.values():
        for name, field in getattr(kind, "fields", {}).items():
            if str(getattr(field, "type", "")).endswith("Connection!"):
                assert {"first", "after"} <= field.args.keys(), name
                assert str(field.args["first"].type) == "Int"
                assert all(argument.description for argument in field.args.values())
