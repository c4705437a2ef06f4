"""Where a field's value comes from: an attribute, or a resolver that is called as Strawberry would call it."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import strawberry
from graphql import GraphQLField, GraphQLObjectType, GraphQLResolveInfo
from strawberry.schema.schema_converter import GraphQLCoreConverter, get_arguments
from strawberry.types.field import StrawberryField

from compiled.keeping import READS

BY = "compiled.by"
Call = Callable[..., Any]
Prepared = tuple[Call, dict[str, Any]]
Prepare = Callable[[GraphQLResolveInfo[Any], dict[str, Any]], Prepared]
Renew = Callable[[GraphQLResolveInfo[Any], Prepared], Prepared]
SOURCE = object()  # stands for the object while a resolver's arguments are put together


@dataclass(frozen=True, slots=True)
class Attribute:
    name: str


@dataclass(frozen=True, slots=True)
class Resolver:
    """`prepared(info, arguments)`: the function to call with each object, and what else to pass; once for a request.

    `renewed(info, prepared)`: the same in another request, where no argument is another. `reads` is called with what
    the function is, before it; None where the field does not tell what it reads. `by`: the attribute of an object on
    which alone its value depends, None where that is not told."""

    prepared: Prepare
    renewed: Renew
    reads: Call | None = None
    by: str | None = None

    @property
    def tells(self) -> bool:
        return self.reads is not None


def source_of(schema: strawberry.Schema, parent: GraphQLObjectType, name: str) -> Attribute | Resolver:
    definition = parent.fields[name]
    field = definition.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    if isinstance(field, StrawberryField):
        if field.is_basic_field and schema.config.default_resolver is getattr:
            return Attribute(field.python_name)
        function = _function(field)
        if function is not None:
            return Resolver(*_directly(schema, field, function), field.metadata.get(READS), field.metadata.get(BY))
    return Resolver(*_by_core(definition))


def _function(field: StrawberryField) -> Call | None:
    """Its resolver, where nothing stands between Strawberry and that, and its first parameter is the object."""
    resolver = field.base_resolver
    if resolver is None or field.is_subscription or field.extensions or field.permission_classes:
        return None
    function = resolver.wrapped_func
    objects = (resolver.self_parameter, resolver.root_parameter, resolver.parent_parameter)
    if not inspect.isfunction(function):
        return None
    first = next(iter(inspect.signature(function).parameters), None)
    return function if first in {one.name for one in objects if one is not None} else None


def _directly(schema: strawberry.Schema, field: StrawberryField, function: Call) -> tuple[Prepare, Renew]:
    assert field.base_resolver is not None
    info_parameter = field.base_resolver.info_parameter

    def told(info: GraphQLResolveInfo[Any]) -> Any:
        return schema.config.info_class(_raw_info=info, _field=field)

    def prepared(info: GraphQLResolveInfo[Any], arguments: dict[str, Any]) -> Prepared:
        _, given = get_arguments(
            field=field,
            source=SOURCE,
            info=told(info),
            kwargs=arguments,
            config=schema.config,
            scalar_registry=schema.schema_converter.scalar_registry,
        )
        return function, {name: value for name, value in given.items() if value is not SOURCE}

    def renewed(info: GraphQLResolveInfo[Any], known: Prepared) -> Prepared:
        if info_parameter is None:
            return known
        return function, {**known[1], info_parameter.name: told(info)}

    return prepared, renewed


def _by_core(definition: GraphQLField) -> tuple[Prepare, Renew]:
    """As graphql-core does it, one object at a time."""
    resolve = definition.resolve or _default

    def prepared(info: GraphQLResolveInfo[Any], arguments: dict[str, Any]) -> Prepared:
        def call(source: object, **given: Any) -> Any:
            return resolve(source, info, **given)

        return call, arguments

    def renewed(info: GraphQLResolveInfo[Any], known: Prepared) -> Prepared:
        return prepared(info, known[1])

    return prepared, renewed


def _default(source: object, info: GraphQLResolveInfo[Any], **_: Any) -> Any:
    return getattr(source, info.field_name)
