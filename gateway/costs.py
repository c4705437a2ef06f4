"""What an operation may cost, before it is executed: see `schema.costs` for what is worth how much."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    IntValueNode,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
)

from schema.costs import COMMAND, ITEMS, LARGEST_PAGE, ORDERS, PAGE, SIZES, USUAL_SIZE, WEIGHTS

Fragments = Mapping[str, FragmentDefinitionNode]


@dataclass(frozen=True, slots=True)
class Price:
    """What an operation may cost at `most`, and what it costs at `least`, whatever comes of it: its commands."""

    most: int
    least: int = 0


class Cost:
    """Of one operation of a document that is valid. Remembered by that of its variables which it depends on."""

    def __init__(self, schema: GraphQLSchema, operation: OperationDefinitionNode, fragments: Fragments) -> None:
        self._schema = schema
        self._operation = operation
        self._fragments = fragments
        self._defaults = {
            one.variable.name.value: one.default_value
            for one in operation.variable_definitions or ()
            if one.default_value is not None
        }
        self._kept: dict[tuple[object, ...], Price] = {}
        self._reads: tuple[Read, ...] | None = None

    def of(self, variables: Mapping[str, Any] | None) -> Price:
        given = variables or {}
        if self._reads is None:
            self._reads = tuple(sorted(set(_used(self._operation, self._fragments.values()))))
        key = tuple(_read(given[name], member) if name in given else LEFT_OUT for name, member in self._reads)
        found = self._kept.get(key)
        if found is None:
            if len(self._kept) >= KEPT:
                self._kept.clear()
            sum_ = _Sum(self._schema, self._fragments, self._defaults, given)
            found = self._kept[key] = Price(1 + sum_.of(self._operation), sum_.commands)
        return found


Read = tuple[str, str]  # a variable, and its member that is a list of commands; or no member
LEFT_OUT = "left out"  # what null is not: the variable's default counts then
KEPT = 64  # costs of an operation, by the variables that they depend on


class _Sum:
    """With variables that are given. Each fragment is summed up once for each length of list that it stands in.

    `commands`: what of the sum is the mutation's own fields."""

    def __init__(
        self, schema: GraphQLSchema, fragments: Fragments, defaults: Mapping[str, ValueNode], given: Mapping[str, Any]
    ) -> None:
        self._schema = schema
        self._fragments = fragments
        self._defaults = defaults
        self._given = given
        self._known: dict[tuple[str, int], int] = {}
        self.commands = 0

    def of(self, operation: OperationDefinitionNode) -> int:
        root = self._schema.get_root_type(operation.operation)
        return 0 if root is None else self._selections(root, operation.selection_set, 1)

    def _selections(self, parent: GraphQLNamedType, selections: SelectionSetNode, page: int) -> int:
        """Of one object. What is asked of several kinds of object costs as much as the dearest of them."""
        total, spread = 0, set[str]()
        of_kinds: dict[str, int] = {}
        for one in selections.selections:
            if self._left_out(one):
                continue
            if isinstance(one, FieldNode):
                total += self._field(parent, one, page)
            elif not isinstance(one, FragmentSpreadNode) or one.name.value not in spread:
                if isinstance(one, FragmentSpreadNode):
                    spread.add(one.name.value)
                kind, cost = self._fragment(parent, one, page)
                if kind is not parent and isinstance(kind, GraphQLObjectType):
                    of_kinds[kind.name] = of_kinds.get(kind.name, 0) + cost
                else:
                    total += cost
        return total + max(of_kinds.values(), default=0)

    def _fragment(self, parent: GraphQLNamedType, one: Any, page: int) -> tuple[GraphQLNamedType, int]:
        """An inline one, or one that is spread; and of which kind of object it asks."""
        if not isinstance(one, FragmentSpreadNode):
            kind = self._condition(one.type_condition, parent)
            return kind, self._selections(kind, one.selection_set, page)
        fragment = self._fragments[one.name.value]
        kind = self._condition(fragment.type_condition, parent)
        key = (one.name.value, page)
        if key not in self._known:
            self._known[key] = self._selections(kind, fragment.selection_set, page)
        return kind, self._known[key]

    def _condition(self, condition: Any, parent: GraphQLNamedType) -> GraphQLNamedType:
        found = None if condition is None else self._schema.get_type(condition.name.value)
        return parent if found is None else found

    def _field(self, parent: GraphQLNamedType, node: FieldNode, page: int) -> int:
        assert isinstance(parent, GraphQLObjectType | GraphQLInterfaceType)
        definition = self._schema.get_field(parent, node.name.value)
        assert definition is not None
        kind = get_named_type(definition.type)
        below = 0 if is_leaf_type(kind) or kind.name.startswith("__") else 1
        if below and node.selection_set is not None:
            below += self._selections(kind, node.selection_set, self._page(definition, node))
        if parent is self._schema.mutation_type:
            own = COMMAND * self._orders(node)
            self.commands += own
        else:
            own = WEIGHTS.get(f"{parent.name}.{node.name.value}", 0)
        return own + self._size(parent.name, definition, node, page) * below

    def _page(self, definition: GraphQLField, node: FieldNode) -> int:
        """How many things a connection holds at most."""
        if "first" not in definition.args:
            return USUAL_SIZE
        asked = self._value(node, "first")
        if isinstance(asked, int):
            return min(max(asked, 0), LARGEST_PAGE)
        return PAGE if asked is None else LARGEST_PAGE

    def _size(self, parent: str, definition: GraphQLField, node: FieldNode, page: int) -> int:
        name = node.name.value
        if parent.endswith("Connection") and name in ITEMS:
            return page
        if "ids" in definition.args:
            asked = self._value(node, "ids")
            return asked if isinstance(asked, int) else 1
        return SIZES.get(f"{parent}.{name}", USUAL_SIZE) if is_list_type(get_nullable_type(definition.type)) else 1

    def _orders(self, node: FieldNode) -> int:
        """How many commands a mutation asks for."""
        member = ORDERS.get(node.name.value)
        return 1 if member is None else max(1, self._length(_argument(node, "input"), member))

    def _length(self, value: ValueNode | None, member: str) -> int:
        """Of a list, or of the list that is a `member` of an object. What is none there is a list of one."""
        if isinstance(value, VariableNode):
            name = value.name.value
            if name not in self._given:
                return self._length(self._defaults.get(name), member)
            return _length(self._given[name], member)
        if isinstance(value, ObjectValueNode):
            found = next((one.value for one in value.fields if one.name.value == member), None)
            return 1 if isinstance(found, ObjectValueNode) else self._length(found, member)
        return len(value.values) if isinstance(value, ListValueNode) else 1

    def _value(self, node: FieldNode, argument: str) -> object:
        """A number, or the length of a list; None where it is left out."""
        return self._told(_argument(node, argument))

    def _told(self, value: ValueNode | None) -> object:
        if isinstance(value, VariableNode):
            name = value.name.value
            return _counted(self._given[name]) if name in self._given else self._told(self._defaults.get(name))
        if isinstance(value, IntValueNode):
            return int(value.value)
        if isinstance(value, ListValueNode):
            return len(value.values)
        return getattr(value, "value", None)

    def _left_out(self, node: SelectionNode) -> bool:
        for directive in node.directives or ():
            told = next((self._told(one.value) for one in directive.arguments or ()), None)
            if (directive.name.value, told) in (("skip", True), ("include", False)):
                return True
        return False


def _counted(value: object) -> object:
    """What of a variable may matter: a number, a truth, or how many there are."""
    if value is None or isinstance(value, bool | int):
        return value
    return len(value) if isinstance(value, list) else ""


def _length(value: object, member: str) -> int:
    """As `_Sum._length`, of a variable."""
    found = value.get(member) if isinstance(value, dict) else value
    return len(found) if isinstance(found, list) else 1


def _read(value: object, member: str) -> object:
    return _length(value, member) if member else _counted(value)


def _argument(node: FieldNode, name: str) -> ValueNode | None:
    return next((one.value for one in node.arguments or () if one.name.value == name), None)


def _used(operation: OperationDefinitionNode, fragments: Iterable[FragmentDefinitionNode]) -> Iterator[Read]:
    """The variables of sizes, of conditions, and of lists of commands."""
    pending: list[SelectionSetNode] = [operation.selection_set, *(one.selection_set for one in fragments)]
    while pending:
        for one in pending.pop().selections:
            arguments = [it for directive in one.directives or () for it in directive.arguments or ()]
            if isinstance(one, FieldNode):
                arguments += [it for it in one.arguments or () if it.name.value in ("first", "ids")]
                if one.name.value in ORDERS:
                    yield from _listing(_argument(one, "input"), ORDERS[one.name.value])
            yield from ((it.value.name.value, "") for it in arguments if isinstance(it.value, VariableNode))
            below: SelectionSetNode | None = getattr(one, "selection_set", None)
            if below is not None:
                pending.append(below)


def _listing(value: ValueNode | None, member: str) -> Iterator[Read]:
    """The variable of a mutation's input, or of its member."""
    if isinstance(value, ObjectValueNode):
        value = next((one.value for one in value.fields if one.name.value == member), None)
    if isinstance(value, VariableNode):
        yield value.name.value, member
