"""What of an operation is fixed: its fields as graphql-core collects them, with where each comes from and its shape."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import strawberry
from graphql import (
    GraphQLEnumType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLScalarType,
    GraphQLSchema,
    OperationDefinitionNode,
    VariableNode,
    Visitor,
    is_abstract_type,
    visit,
)
from graphql.execution.collect_fields import (
    CollectedFields,
    FieldDetailsList,
    FragmentDetails,
    collect_fields,
    collect_subfields,
)
from graphql.execution.values import VariableValues

from compiled.fields import Attribute, Resolver, source_of

DEEPEST = 64  # levels of a selection: a deeper one is left to graphql-core
MOST = 4_000  # fields, each as often as it is reached: a document can be short, and be reached very often


class NotCompiled(Exception):
    """An operation, or a type, that is left to graphql-core; says why."""


@dataclass(frozen=True, slots=True)
class Leaf:
    type: GraphQLScalarType | GraphQLEnumType
    nullable: bool
    waits: bool = False
    below: "tuple[Selection, ...]" = ()


@dataclass(frozen=True)
class Many:
    of: "Shape"
    nullable: bool

    @property
    def waits(self) -> bool:
        return self.of.waits

    @property
    def below(self) -> "tuple[Selection, ...]":
        return self.of.below


@dataclass(frozen=True)
class Thing:
    """An object: by the name of its type, what is selected of it. Several are possible of an interface or a union."""

    type: GraphQLOutputType
    selections: "dict[str, Selection]"
    nullable: bool

    @cached_property
    def waits(self) -> bool:
        """An object whose type is to be found out, or proved, is one of a level, too."""
        checked = is_abstract_type(self.type) or any(one.type.is_type_of for one in self.selections.values())
        return checked or any(one.waits for one in self.selections.values())

    @property
    def below(self) -> "tuple[Selection, ...]":
        return tuple(self.selections.values())


Shape = Leaf | Many | Thing


@dataclass(frozen=True, slots=True)
class Field:
    """`key`: under which it is answered. `details`: the nodes that ask for it. `source`: None for `__typename`."""

    key: str
    name: str
    parent: GraphQLObjectType
    details: FieldDetailsList
    source: Attribute | Resolver | None
    shape: Shape

    @property
    def waits(self) -> bool:
        """Whether its values are had for all objects of a level together, for they may have to be waited for."""
        return isinstance(self.source, Resolver) or self.shape.waits

    @property
    def variables(self) -> frozenset[str]:
        """That its arguments take."""
        found = _Variables()
        for one in self.details:
            for argument in one.node.arguments or ():
                visit(argument.value, found)
        return frozenset(found.names)


@dataclass(frozen=True)
class Selection:
    type: GraphQLObjectType
    fields: tuple[Field, ...]

    @cached_property
    def waits(self) -> bool:
        return any(field.waits for field in self.fields)

    @property
    def edges(self) -> Iterator[Field]:
        return (field for field in self.fields if field.waits)

    @property
    def all_fields(self) -> Iterator[Field]:
        """Those below them, too."""
        for field in self.fields:
            yield field
            for selection in field.shape.below:
                yield from selection.all_fields

    @property
    def tells(self) -> bool:
        """Whether every resolver in it tells what it reads."""
        return all(field.source.tells for field in self.all_fields if isinstance(field.source, Resolver))

    @property
    def variables(self) -> frozenset[str]:
        """That its fields take."""
        return frozenset[str]().union(*(field.variables for field in self.all_fields))


class _Variables(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def enter_variable(self, node: VariableNode, *_: object) -> None:
        self.names.add(node.name.value)


class Planner:
    """Plans one operation for one set of values of the variables that its `@skip` and `@include` ask for."""

    def __init__(
        self,
        schema: strawberry.Schema,
        operation: OperationDefinitionNode,
        fragments: dict[str, FragmentDetails],
        variables: VariableValues,
    ) -> None:
        self._strawberry = schema
        self._schema: GraphQLSchema = schema._schema  # noqa: SLF001  Strawberry has no public way to it
        self._operation = operation
        self._fragments = fragments
        self._variables = variables
        self._depth = 0
        self._fields = 0

    def plan(self) -> Selection:
        """Raises NotCompiled."""
        root = self._schema.get_root_type(self._operation.operation)
        assert root is not None
        return self._selection(
            root, collect_fields(self._schema, self._fragments, self._variables, root, self._operation)
        )

    def _selection(self, parent: GraphQLObjectType, collected: CollectedFields) -> Selection:
        if collected.new_defer_usages:
            raise NotCompiled("@defer")
        fields = (self._field(parent, key, details) for key, details in collected.grouped_field_set.items())
        return Selection(parent, tuple(fields))

    def _field(self, parent: GraphQLObjectType, key: str, details: FieldDetailsList) -> Field:
        self._fields += 1
        if self._fields > MOST:
            raise NotCompiled("too many fields")
        name = details[0].node.name.value
        definition = self._schema.get_field(parent, name)
        if definition is None:
            raise NotCompiled(f"{parent.name} has no {name}")
        if name == "__typename":
            return Field(key, name, parent, details, None, self._shape(definition.type, details))
        if name.startswith("__"):
            raise NotCompiled("introspection")
        source = source_of(self._strawberry, parent, name)
        return Field(key, name, parent, details, source, self._shape(definition.type, details))

    def _shape(self, type_: GraphQLOutputType, details: FieldDetailsList, *, nullable: bool = True) -> Shape:
        if isinstance(type_, GraphQLNonNull):
            return self._shape(type_.of_type, details, nullable=False)
        if isinstance(type_, GraphQLList):
            return Many(self._shape(type_.of_type, details), nullable)
        if isinstance(type_, GraphQLScalarType | GraphQLEnumType):
            return Leaf(type_, nullable)
        possible = [type_] if isinstance(type_, GraphQLObjectType) else self._schema.get_possible_types(type_)
        return Thing(type_, {one.name: self._below(one, details) for one in possible}, nullable)

    def _below(self, type_: GraphQLObjectType, details: FieldDetailsList) -> Selection:
        self._depth += 1
        if self._depth > DEEPEST:
            raise NotCompiled("nested too deeply")
        collected = collect_subfields(self._schema, self._fragments, self._variables, self._operation, type_, details)
        found = self._selection(type_, collected)
        self._depth -= 1
        return found
