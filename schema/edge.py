"""The one untyped seam between resolvers, which return domain values, and Strawberry's types, which describe them."""

import inspect
import types
from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Annotated, Any, Optional, Union, get_args, get_origin, get_type_hints

import strawberry

from compiled import BY, READS
from domain import asked, filters, people, people_asked, reporting, stock, stock_reporting
from schema import bulk_inputs, catalogue_inputs, estate_inputs, inputs, people_inputs, stock_inputs, upkeep_inputs

INPUTS: dict[type, type] = {
    filters.MachineFilter: inputs.MachineFilter,
    filters.ProductFilter: inputs.ProductFilter,
    filters.SaleFilter: inputs.SaleFilter,
    filters.EventFilter: inputs.EventFilter,
    reporting.SalesReportFilter: inputs.SalesReportFilter,
    filters.CommandFilter: inputs.CommandFilter,
    asked.MachineCommandInput: inputs.MachineCommandInput,
    asked.DispenseProductInput: inputs.DispenseProductInput,
    asked.SendDepositInput: inputs.SendDepositInput,
    asked.SendRemotePaymentInput: inputs.SendRemotePaymentInput,
    asked.SetPriceInput: inputs.SetPriceInput,
    asked.PlanogramSlotInput: inputs.PlanogramSlotInput,
    asked.UpdatePlanogramInput: inputs.UpdatePlanogramInput,
    asked.UpdateConfigInput: inputs.UpdateConfigInput,
    asked.ResolveCommandInput: inputs.ResolveCommandInput,
    stock.StockMovementFilter: stock_inputs.StockMovementFilter,
    stock_reporting.StockReportFilter: stock_inputs.StockReportFilter,
    stock.CashCollectionFilter: stock_inputs.CashCollectionFilter,
    stock.AdjustStockInput: stock_inputs.AdjustStockInput,
    people.PersonFilter: people_inputs.PersonFilter,
    people.OrganizationUnitFilter: people_inputs.OrganizationUnitFilter,
    people.EntitlementGroupFilter: people_inputs.EntitlementGroupFilter,
    people_asked.PersonAddressInput: people_inputs.PersonAddressInput,
    people_asked.PersonDetailsInput: people_inputs.PersonDetailsInput,
    people_asked.CreatePersonInput: people_inputs.CreatePersonInput,
    people_asked.UpdatePersonInput: people_inputs.UpdatePersonInput,
    people_asked.DeletePersonInput: people_inputs.DeletePersonInput,
    people_asked.CreateUnitInput: people_inputs.CreateUnitInput,
    people_asked.UpdateUnitInput: people_inputs.UpdateUnitInput,
    people_asked.DeleteUnitInput: people_inputs.DeleteUnitInput,
    people_asked.EntitlementRuleInput: people_inputs.EntitlementRuleInput,
    people_asked.CreateGroupInput: people_inputs.CreateGroupInput,
    people_asked.UpdateGroupInput: people_inputs.UpdateGroupInput,
    people_asked.DeleteGroupInput: people_inputs.DeleteGroupInput,
    **bulk_inputs.INPUTS,
    **catalogue_inputs.INPUTS,
    **estate_inputs.INPUTS,
    **upkeep_inputs.INPUTS,
}
IDS = frozenset({"id", "ids", "acknowledge_unknown", "account_id", "machines"})
ROOT: Any = strawberry.Parent[object]
PAGING = {
    "first": "How many, at most 1000; 50 where it is left out.",
    "after": "The cursor to go on from: an `endCursor`, or any edge's. From the beginning where it is left out.",
    "filter": "Narrows the list, which is whole where it is left out; a cursor belongs to its filter.",
}
FOLLOWING = {
    "filter": "Narrows the messages, which are all there where it is left out; a cursor belongs to its filter.",
    "after": "The cursor to go on from: what was recorded since is told first. From now on where it is left out.",
}
DOMAIN = {graph: domain for domain, graph in INPUTS.items()}


def edge(
    resolver: Callable[..., Any],
    *,
    description: str,
    reads: Callable[..., Any] | None = None,
    by: str | None = None,
    **arguments: str,
) -> Any:
    """A field that `resolver(root, info, …)` resolves. Its arguments are the resolver's, in the graph's types;
    `arguments` describes them. Inputs reach the resolver as domain values.

    `reads`: of `resolvers.readings`, what the resolver reads: an answer with the field is kept as long as it stands.
    `by`: the attribute of the domain value on which alone its value depends, and what it reads."""
    signature = inspect.signature(resolver)
    hints = get_type_hints(resolver)
    parameters = [
        _parameter(parameter, hints[name], arguments.get(name)) for name, parameter in signature.parameters.items()
    ]
    filtered = [name for name, hint in hints.items() if _bare(hint) in INPUTS]

    resolve = _taking(resolver, filtered)
    vars(resolve)["__signature__"] = inspect.Signature(parameters)  # where `inspect.signature` looks first
    resolve.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    metadata = {BY: by} if reads is None else {BY: by, READS: _taking(reads, filtered)}
    return strawberry.field(resolver=resolve, description=description, metadata=metadata)


def _taking(function: Callable[..., Any], filtered: Sequence[str]) -> Callable[..., Any]:
    """With the inputs of these names as domain values."""

    def resolve(*args: Any, **kwargs: Any) -> Any:
        for name in filtered:
            if kwargs.get(name) is not None:
                kwargs[name] = to_domain(kwargs[name])
        return function(*args, **kwargs)

    resolve.__name__ = function.__name__
    return resolve


def stream(resolver: Callable[..., Any], description: str, **arguments: str) -> Any:
    """A subscription that `resolver(root, info, …)` follows, as messages of the domain."""
    field = edge(resolver, description=description, reads=None, **(arguments or FOLLOWING))
    return strawberry.subscription(resolver=field.base_resolver.wrapped_func, description=description)


def attribute(description: str) -> Any:
    """A field that is an attribute of the domain value."""
    return strawberry.field(description=description)


def paged(resolver: Callable[..., Any], description: str, reads: Callable[..., Any] | None = None) -> Any:
    """An edge to a list in pages; `reads` as `edge` has it."""
    takes = inspect.signature(resolver).parameters
    arguments = {name: text for name, text in PAGING.items() if name in takes}
    return edge(resolver, description=description, reads=reads, **arguments)


def to_domain(given: Any) -> Any:
    """An input of the graph as the domain's: what was left out is None, lists are tuples."""
    values = {field.name: _plain(getattr(given, field.name)) for field in fields(given)}
    return DOMAIN[type(given)](**values)


def _plain(value: Any) -> Any:
    if value is strawberry.UNSET:
        return None
    if isinstance(value, list):
        return tuple(map(_plain, value))
    return to_domain(value) if type(value) in DOMAIN else value


def _parameter(parameter: inspect.Parameter, hint: Any, description: str | None) -> inspect.Parameter:
    if parameter.name == "root":
        return parameter.replace(annotation=ROOT)
    default = parameter.default if parameter.default is inspect.Parameter.empty else strawberry.UNSET
    annotation = _of_graph(parameter.name, hint)
    if description is not None:
        annotation = _described(annotation, parameter.name, description)
    return parameter.replace(annotation=annotation, default=default)


def _described(annotation: Any, name: str, description: str) -> Any:
    """A name that is a word of Python ends in an underscore there."""
    graphs = name.removesuffix("_") if name.endswith("_") else None
    return Annotated[annotation, strawberry.argument(description=description, name=graphs)]


def _of_graph(name: str, hint: Any) -> Any:
    """The graph's type of an argument: the domain's inputs are its own, and what is called an id is one."""
    if get_origin(hint) in (Union, types.UnionType):
        inner = next(one for one in get_args(hint) if one is not type(None))
        return Optional[_of_graph(name, inner)]  # noqa: UP045  a type that is computed
    if get_origin(hint) is Sequence:
        return types.GenericAlias(list, (_of_graph(name, get_args(hint)[0]),))
    if hint is str and name in IDS:
        return strawberry.ID
    return INPUTS.get(hint, hint)


def _bare(hint: Any) -> Any:
    return next((one for one in get_args(hint) if one is not type(None)), hint)
