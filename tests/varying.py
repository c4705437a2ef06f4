"""Operations made of one: with fragments, variables, directives and aliases where it had none, and real ids in it."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from graphql import (
    ArgumentNode,
    BooleanValueNode,
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLArgument,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    NamedTypeNode,
    NameNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    StringValueNode,
    ValueNode,
    VariableDefinitionNode,
    VariableNode,
    get_named_type,
    is_leaf_type,
    is_required_argument,
    parse_const_value,
    parse_type,
    print_ast,
    value_from_ast_untyped,
)

SELDOM, NOW_AND_THEN, OFTEN = 0.05, 0.2, 0.6
DEEPEST = 7


@dataclass(slots=True)
class Varied:
    """One variation. `ids`: of things that there are."""

    schema: GraphQLSchema
    chance: random.Random
    ids: Sequence[str]
    variables: dict[str, Any] = field(default_factory=dict)
    _fragments: list[FragmentDefinitionNode] = field(default_factory=list)
    _definitions: list[VariableDefinitionNode] = field(default_factory=list)

    def of(self, document: DocumentNode) -> str:
        (operation,) = (one for one in document.definitions if isinstance(one, OperationDefinitionNode))
        root = self.schema.query_type
        assert root is not None
        selected = self._selected(operation.selection_set, root, 0)
        varied = replace(operation, selection_set=selected, variable_definitions=tuple(self._definitions))
        return print_ast(DocumentNode(definitions=(varied, *self._fragments)))

    def _may(self, chance: float) -> bool:
        return self.chance.random() < chance

    # ---- selections -----------------------------------------------------------------------------------------------

    def _selected(self, selected: SelectionSetNode, parent: GraphQLNamedType, depth: int) -> SelectionSetNode:
        found: list[SelectionNode] = []
        for one in selected.selections:
            if isinstance(one, FieldNode):
                found.append(self._field(one, parent, depth))
            elif isinstance(one, InlineFragmentNode):
                condition = (
                    parent if one.type_condition is None else self.schema.type_map[one.type_condition.name.value]
                )
                found.append(replace(one, selection_set=self._selected(one.selection_set, condition, depth + 1)))
            else:
                found.append(one)
        keys = {_key(one) for one in found if isinstance(one, FieldNode)}
        found += [one for one in self._more(parent, depth) if _key(one) not in keys]
        return SelectionSetNode(selections=tuple(self._grouped(self._conditional(found), parent)))

    def _field(self, node: FieldNode, parent: GraphQLNamedType, depth: int) -> FieldNode:
        assert isinstance(parent, GraphQLObjectType | GraphQLInterfaceType)
        definition = self.schema.get_field(parent, node.name.value)
        assert definition is not None
        below = get_named_type(definition.type)
        return replace(
            node,
            alias=NameNode(value=f"other_{node.name.value}")
            if node.alias is None and self._may(SELDOM)
            else node.alias,
            arguments=tuple(self._arguments(node.arguments or (), definition)),
            selection_set=node.selection_set and self._selected(node.selection_set, below, depth + 1),
        )

    def _more(self, parent: GraphQLNamedType, depth: int) -> list[FieldNode]:
        """Fields that it could have as well: leaves often, and things as long as it does not get too deep."""
        if not isinstance(parent, GraphQLObjectType | GraphQLInterfaceType) or depth == 0:
            return []
        free = {
            name: one
            for name, one in parent.fields.items()
            if not any(map(is_required_argument, one.args.values())) and not name.startswith("salesReport")
        }
        chosen = self.chance.sample(sorted(free), k=min(len(free), self.chance.randint(0, 4)))
        leaves = [name for name in chosen if is_leaf_type(get_named_type(free[name].type))]
        found = [FieldNode(name=NameNode(value=name)) for name in leaves]
        if self._may(NOW_AND_THEN):
            found.append(FieldNode(name=NameNode(value="__typename")))
        things = [name for name in chosen if name not in leaves] if depth < DEEPEST else []
        return found + [self._thing(name, free[name], depth) for name in things]

    def _thing(self, name: str, definition: GraphQLField, depth: int) -> FieldNode:
        below = get_named_type(definition.type)
        typename = SelectionSetNode(selections=(FieldNode(name=NameNode(value="__typename")),))
        first = IntValueNode(value=str(self.chance.randint(0, 3)))
        few = (ArgumentNode(name=NameNode(value="first"), value=first),) if "first" in definition.args else ()
        return FieldNode(
            name=NameNode(value=name), arguments=few, selection_set=self._selected(typename, below, depth + 1)
        )

    def _conditional(self, found: Sequence[SelectionNode]) -> list[SelectionNode]:
        """Some are there by a directive only, and some twice."""
        again = [one for one in found if self._may(SELDOM)]
        return [self._directed(one) if self._may(SELDOM) else one for one in (*found, *again)]

    def _directed(self, node: SelectionNode) -> SelectionNode:
        told = BooleanValueNode(value=self._may(OFTEN))
        value = self._variable(told, "Boolean!") if self._may(OFTEN) else told
        name = self.chance.choice(["skip", "include"])
        directive = DirectiveNode(
            name=NameNode(value=name), arguments=(ArgumentNode(name=NameNode(value="if"), value=value),)
        )
        return replace(node, directives=(directive,)) if isinstance(node, FieldNode) else node

    def _grouped(self, found: Sequence[SelectionNode], parent: GraphQLNamedType) -> list[SelectionNode]:
        """A part of them is moved into a fragment now and then."""
        if not self._may(NOW_AND_THEN):
            return list(found)
        begin, end = sorted(self.chance.choices(range(len(found) + 1), k=2))
        if begin == end:
            return list(found)
        inside = SelectionSetNode(selections=tuple(found[begin:end]))
        condition = NamedTypeNode(name=NameNode(value=parent.name))
        group: SelectionNode = InlineFragmentNode(
            type_condition=condition if self._may(OFTEN) else None, selection_set=inside
        )
        if self._may(OFTEN):
            name = NameNode(value=f"part_{len(self._fragments)}")
            self._fragments.append(FragmentDefinitionNode(name=name, type_condition=condition, selection_set=inside))
            group = FragmentSpreadNode(name=name)
        return [*found[:begin], group, *found[end:]]

    # ---- arguments ------------------------------------------------------------------------------------------------

    def _arguments(self, given: Sequence[ArgumentNode], definition: GraphQLField) -> list[ArgumentNode]:
        tamed = (self._tamed(one, definition.args[one.name.value]) for one in given)
        return [self._as_variable(one, definition.args[one.name.value]) for one in tamed if one is not None]

    def _tamed(self, node: ArgumentNode, argument: GraphQLArgument) -> ArgumentNode | None:
        """What was made up would find nothing, or be refused, nearly always."""
        name = node.name.value
        if self._may(SELDOM):
            return node
        if name == "id":
            return replace(node, value=self._id())
        if name == "ids":
            return replace(
                node, value=ListValueNode(values=tuple(self._id() for _ in range(self.chance.randint(0, 6))))
            )
        if name == "first":
            return replace(node, value=IntValueNode(value=str(self.chance.randint(0, 6))))
        if name == "timezone":
            return replace(node, value=StringValueNode(value=self.chance.choice(["Europe/Lisbon", "Asia/Kathmandu"])))
        left_out = not is_required_argument(argument) and self._may(OFTEN if name == "filter" else 1 - SELDOM)
        return None if left_out else node

    def _id(self) -> StringValueNode:
        return StringValueNode(value=self.chance.choice(self.ids))

    def _as_variable(self, node: ArgumentNode, argument: GraphQLArgument) -> ArgumentNode:
        return replace(node, value=self._variable(node.value, str(argument.type))) if self._may(OFTEN / 2) else node

    def _variable(self, value: ValueNode, type_: str) -> VariableNode:
        """What a variable would stand for; now and then that is its default, and it is not passed."""
        name = f"v{len(self._definitions)}"
        variable = VariableNode(name=NameNode(value=name))
        default = self._may(NOW_AND_THEN)
        if not default:
            self.variables[name] = value_from_ast_untyped(value)
        told = parse_const_value(print_ast(value)) if default else None
        self._definitions.append(
            VariableDefinitionNode(
                variable=variable,
                type=parse_type(type_),
                default_value=told,
            )
        )
        return variable


def _key(node: FieldNode) -> str:
    return (node.alias or node.name).value
