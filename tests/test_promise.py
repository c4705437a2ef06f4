"""What clients were handed goes on working, or the changelog says what does not."""

import pytest

from tests.npm import NEEDS_NODE
from tests.promise import CHANGELOG, HEADER, RELEASED, SCHEMA, Change, announced, breaking, silent, version

BEFORE = """
  type Query { machine(id: ID!, language: Language): Machine machines(first: Int): [Machine!]! }
  type Machine { id: ID! name: String! }
  type Slot { id: ID! }
  enum Language { EN PT }
  input Filter { text: String }
  type Mutation { find(filter: Filter): Machine }
"""
SILENT = """## [Unreleased]

### Added

- `Machine.name` is longer.

## [0.1.0]

### Breaking

- `Machine.name`
"""
LOUD = SILENT.replace("### Added", "### Breaking\n\n- `{}`: for a reason.\n\n### Added")
BREAKING = {
    "a field removed": ("name: String! }", "}", "Machine.name"),
    "a field that may be null now": ("name: String!", "name: String", "Machine.name"),
    "a type changed": ("name: String!", "name: Int!", "Machine.name"),
    "an argument removed": (", language: Language", "", "Query.machine(language:)"),
    "an argument made required": ("first: Int", "first: Int!", "Query.machines(first:)"),
    "a required argument added": ("first: Int", "first: Int, last: Int!", "Query.machines(last:)"),
    "an enum value removed": ("EN PT", "EN", "Language.PT"),
    "an input field removed": ("text: String", "word: String", "Filter.text"),
    "an input field made required": ("text: String", "text: String!", "Filter.text"),
    "a type removed": ("type Slot { id: ID! }", "", "Slot"),
    "a whole sort of operation removed": ("type Mutation { find(filter: Filter): Machine }", "", "schema"),
}
HARMLESS = {
    "a field added": ("name: String!", "name: String! model: String"),
    "a type added": ("type Slot", "type Site { id: ID! } type Slot"),
    "an argument added": ("first: Int", "first: Int, after: String"),
    "an enum value added": ("EN PT", "EN PT ES"),
    "an input field added": ("text: String", "text: String city: String"),
    "an argument that is needed no longer": ("id: ID!, l", "id: ID, l"),
    "a description": ("type Machine", '"""A machine.""" type Machine'),
}


def changed(old: str, new: str) -> tuple[str, str]:
    assert old in BEFORE
    return BEFORE, BEFORE.replace(old, new)


@pytest.fixture(scope="module")
def judged() -> dict[str, list[Change]]:
    """Of each example what breaks clients; asked for all at once, for node takes long to start."""
    pairs = {name: changed(*example[:2]) for name, example in {**BREAKING, **HARMLESS}.items()}
    return dict(zip(pairs, breaking(list(pairs.values())), strict=True))


@NEEDS_NODE
def test_nothing_breaks_that_the_changelog_does_not_announce() -> None:
    released, now, changelog = (path.read_text(encoding="utf-8") for path in (RELEASED, SCHEMA, CHANGELOG))
    [changes] = breaking([(released, now)])
    assert silent(changes, changelog) == []


def test_what_is_kept_is_of_the_newest_release() -> None:
    assert RELEASED.read_text(encoding="utf-8").startswith(HEADER.format(version()))


@NEEDS_NODE
@pytest.mark.parametrize("name", BREAKING)
def test_what_breaks_clients_is_seen_and_can_be_announced(name: str, judged: dict[str, list[Change]]) -> None:
    coordinate, changes = BREAKING[name][2], judged[name]
    [expected] = announced(LOUD.format(coordinate))
    assert expected in {change.path for change in changes}
    assert len(silent(changes, SILENT)) == len(changes)
    assert silent(changes, LOUD.format(coordinate)) == [
        f"{change.path}: {change.message}" for change in changes if change.path != expected
    ]


@NEEDS_NODE
@pytest.mark.parametrize("name", HARMLESS)
def test_additions_pass(name: str, judged: dict[str, list[Change]]) -> None:
    assert judged[name] == []


def test_an_announcement_names_coordinates_under_what_is_not_released() -> None:
    told = "## [Unreleased]\n\n### Breaking\n\n- `A.b(c:)`, `D` and `@e`.\n\n### Added\n\n- `F.g`\n\n## [0.1.0]\n"
    assert announced(told) == {"A.b.c", "D", "@e"}
    assert announced(SILENT) == set()
