"""Writes the functions of an operation. Each level of the answer has one that makes the answers of all its objects.

A level is a function of its objects, and so is each of its edges:

    def level_2(objects, run):                      # machines
        return filled(fill_2, objects, (edge_3,), run)

    def edge_3(objects, run):                       # their slots, all asked for at once
        return resolved(0, objects, complete_3, run)

    def complete_3(values, run):                    # lists of slots, made in one go by the level below
        return lists(complete_4, values, run, nullable=True)

    def fill_2(objects, edge_3):
        made = []
        add = made.append
        for o, v_3 in zip(objects, edge_3):
            add({"id": a_1 if type(a_1 := o.id) is str else odd_1(a_1), "slots": v_3})
        return made

What has no resolver below it, such as an amount of money, is written into its object's expression.

A level that may be joined of pieces is asked for those first:

    def pieces_9(objects, run):
        return pieced(0, level_2, objects, run)     # level_2: of the machines that have none"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLEnumType, GraphQLObjectType, is_abstract_type

from compiled import kinds, leaves, pieces, running
from compiled.fields import Attribute, Resolver
from compiled.plan import Field, Leaf, Many, Selection, Shape, Thing

CALLED = ("absent", "filled", "listed", "lists", "resolved", "shared", "things")


@dataclass(frozen=True, slots=True)
class Resolved:
    """A field that has a resolver. `piece`: the number of the pieces that it is in; `of_pieces`: it is one of their
    objects' own, and not of what is below those."""

    field: Field
    piece: int | None
    of_pieces: bool
    steady: bool  # its arguments are the same in each request

    @property
    def source(self) -> Resolver:
        assert isinstance(self.field.source, Resolver)
        return self.field.source


class Writer:
    """`keeps`: the types whose objects come to pieces. `resolved`: the fields that are resolved, and `pieces`: the
    variables that those depend on, both in the order in which the functions number them."""

    def __init__(self, keeps: Collection[str] = ()) -> None:
        self.resolved: list[Resolved] = []
        self.pieces: list[frozenset[str]] = []
        self._keeps = keeps
        self._lines: list[str] = []
        self._names: dict[str, Any] = {name: getattr(running, name) for name in CALLED} | {"pieced": pieces.pieced}
        self._count = 0
        self._lists = 0  # within how many the level is that is being written
        self._piece: int | None = None  # in which pieces
        self._outermost = False  # at the level of their objects

    def write(self, root: Selection) -> tuple[str, dict[str, Any], str]:
        """The source, what it refers to, and the name of the function of its first level."""
        name = self._level(root)
        return "\n".join(self._lines) + "\n", self._names, name

    def _number(self) -> int:
        self._count += 1
        return self._count

    def _bound(self, value: Any, hint: str) -> str:
        """A name that the functions know the value by."""
        name = f"{hint}_{self._number()}"
        self._names[name] = value
        return name

    def _function(self, head: str, *body: str) -> None:
        self._lines += [f"def {head}:", *(f"    {line}" for line in body), ""]

    # ---- levels ---------------------------------------------------------------------------------------------------

    def _level(self, selection: Selection) -> str:
        kept = self._lists and self._piece is None and selection.type.name in self._keeps
        if not (kept and selection.waits and selection.tells):
            return self._made(selection)
        self._piece = len(self.pieces)
        self._outermost = True
        self.pieces.append(selection.variables)
        number, made = self._number(), self._made(selection)
        self._function(f"pieces_{number}(objects, run)", f"return pieced({self._piece}, {made}, objects, run)")
        self._piece, self._outermost = None, False
        return f"pieces_{number}"

    def _made(self, selection: Selection) -> str:
        number = self._number()
        edges = {field.key: self._edge(field) for field in selection.edges}
        values = {key: f"v_{place}" for place, key in enumerate(edges)}
        self._fill(number, selection, values)
        functions = "".join(f"{edge}, " for edge in edges.values())
        body = [f"return filled(fill_{number}, objects, ({functions}), run)"]
        if not edges:
            body = [f"return fill_{number}(objects)"]
        if selection.type.is_type_of is not None:
            classes = self._bound(kinds.Classes(selection.type), "classes")
            body.insert(0, f"{classes}.check(objects, run)")
        self._function(f"level_{number}(objects, run)", *body)
        return f"level_{number}"

    def _fill(self, number: int, selection: Selection, values: dict[str, str]) -> None:
        columns = "".join(f", c{value[1:]}" for value in values.values())
        objects = "o"
        source = "objects"
        if values:
            objects = "".join(["o", *(f", {value}" for value in values.values())])
            source = f"zip(objects{columns})"
        self._function(
            f"fill_{number}(objects{columns})",
            "made = []",
            "add = made.append",
            f"for {objects} in {source}:",
            f"    add({self._dict(selection, 'o', values)})",
            "return made",
        )

    def _edge(self, field: Field) -> str:
        number, outermost = self._number(), self._outermost
        self._outermost = False
        complete = self._complete(field.shape)
        self._outermost = outermost
        if isinstance(field.source, Attribute):
            body = f"{complete}([o.{field.source.name} for o in objects], run)"
        else:
            assert field.source is not None
            self.resolved.append(Resolved(field, self._piece, outermost, steady=not field.variables))
            place, by = len(self.resolved) - 1, field.source.by
            body = f"resolved({place}, objects, {complete}, run)"
            if by is not None:
                body = f"shared({place}, objects, [o.{by} for o in objects], {complete}, run)"
        self._function(f"edge_{number}(objects, run)", f"return {body}")
        return f"edge_{number}"

    # ---- columns: the values of a field for all objects of a level -------------------------------------------------

    def _complete(self, shape: Shape) -> str:
        number = self._number()
        head = f"complete_{number}(values, run)"
        if not shape.waits:
            body = ["made = []", "add = made.append", "for o in values:", f"    add({self._value(shape, 'o')})"]
            self._function(head, *body, "return made")
        elif isinstance(shape, Many):
            self._lists += 1
            self._function(head, f"return lists({self._complete(shape.of)}, values, run, nullable={shape.nullable})")
            self._lists -= 1
        elif isinstance(shape, Thing):
            self._function(head, f"return things({self._levels(shape)}, values, run, nullable={shape.nullable})")
        return f"complete_{number}"

    def _levels(self, shape: Thing) -> str:
        if isinstance(shape.type, GraphQLObjectType):
            return self._level(shape.selections[shape.type.name])
        assert is_abstract_type(shape.type)
        levels = {name: self._level(selection) for name, selection in shape.selections.items()}
        table = ", ".join(f"{name!r}: {level}" for name, level in levels.items())
        of_class = self._bound(kinds.Possible(shape.type), "possible")
        number = self._number()
        self._function(
            f"levels_{number}(objects, run)",
            f"return {of_class}.made({{{table}}}, objects, run)",
        )
        return f"levels_{number}"

    # ---- expressions ----------------------------------------------------------------------------------------------

    def _dict(self, selection: Selection, of: str, values: dict[str, str]) -> str:
        members = (f"{field.key!r}: {values.get(field.key) or self._member(field, of)}" for field in selection.fields)
        return f"{{{', '.join(members)}}}"

    def _member(self, field: Field, of: str) -> str:
        if isinstance(field.source, Attribute):
            return self._value(field.shape, f"{of}.{field.source.name}")
        return repr(field.parent.name)  # `__typename`

    def _value(self, shape: Shape, expression: str) -> str:
        """What a value without edges comes to."""
        if isinstance(shape, Leaf):
            return self._leaf(shape, expression)
        name = f"a_{self._number()}"
        if isinstance(shape, Many):
            made = f"{self._list(shape)}({name})"
        else:
            assert isinstance(shape, Thing)
            assert isinstance(shape.type, GraphQLObjectType)
            made = self._dict(shape.selections[shape.type.name], name, {})
        otherwise = "None" if shape.nullable else "absent()"
        return f"({otherwise} if ({name} := {expression}) is None else {made})"

    def _list(self, shape: Many) -> str:
        number = self._number()
        self._function(
            f"list_{number}(values)",
            "made = []",
            "add = made.append",
            "for o in listed(values):",
            f"    add({self._value(shape.of, 'o')})",
            "return made",
        )
        return f"list_{number}"

    def _leaf(self, leaf: Leaf, expression: str) -> str:
        names = {"v": f"a_{self._number()}", "e": expression, "odd": self._bound(leaves.odd(leaf), "odd")}
        template = leaves.template(leaf)
        if isinstance(leaf.type, GraphQLEnumType):
            names["enum"] = self._bound(leaves.members(leaf.type), "enum")
        elif (written := leaves.writes(leaf.type)) is not None:
            names |= {"write": self._bound(written[0], "write"), "kind": self._bound(written[1], "kind")}
        return f"({template.format(**names)})"
