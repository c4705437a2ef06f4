"""Merging: pages over many sources are one order, repeat nothing and lose nothing, whatever the sources do."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from operator import attrgetter

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import VendorUnavailable
from domain.paging import Connection, SourceState
from domain.refs import Kind, Ref
from resolvers.cursors import BEGINNING, EVERYWHERE, Cursor, CursorSigner, Gap, Position
from resolvers.merge import Order, Part, failed, page, told, unsupported, whole_page

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
SIGNER = CursorSigner(b"secret")


@dataclass(frozen=True, order=True)
class Item:
    key: int
    id: str

    @property
    def position(self) -> Position:
        return Position(f"{self.key:04}", self.id)


NEWEST: Order[Item] = Order(attrgetter("position"), newest_first=True)
BY_NAME: Order[Item] = Order(attrgetter("position"), newest_first=False)


def account(name: str) -> Ref:
    return Ref(Kind.ACCOUNT, name, "")


def down(name: str) -> VendorUnavailable:
    return VendorUnavailable("down", account=name, vendor="livello", retry_after=3.2)


@dataclass
class Source:
    """Holds items; a failing one tells nothing, a stale one what it had told before, down to `reach` of them."""

    name: str
    items: list[Item]
    failing: bool = False
    kept: list[Item] | None = None  # what it told last, where it is stale
    reach: int = 1_000

    def part(self, cursor: Cursor, first: int) -> Part[Item]:
        gaps = cursor.unread(self.name)
        if self.failing and self.kept is None:
            return Part(self.name, failed(account(self.name), down(self.name)), untold=gaps)
        if not self.failing:
            self.kept = sorted(self.items, reverse=True)
            return Part(self.name, told(account(self.name), NOON, None), self._in(gaps, self.kept)[: first + 1])
        return self._stale(gaps, first)

    def _stale(self, gaps: Sequence[Gap], first: int) -> Part[Item]:
        assert self.kept is not None
        known = self.kept[: self.reach]
        untold: list[Gap] = []
        for gap in gaps:
            if gap.after is None:
                top = Position(known[0].position.key, known[0].id + "\0") if known else Position("", "")
                untold += NEWEST.above([gap], top)
            if len(known) < len(self.kept):
                untold += NEWEST.below([gap], Position(known[-1].position.key, "") if known else Position("~", ""))
        told_gaps = self._in(gaps, known)
        status = told(account(self.name), NOON, down(self.name))
        return Part(self.name, status, told_gaps[: first + 1], untold)

    def _in(self, gaps: Sequence[Gap], items: Sequence[Item]) -> list[Item]:
        return [item for item in items if any(NEWEST.holds(gap, item.position) for gap in gaps)]


@dataclass
class Walk:
    """Reads page after page, with each cursor through the wire."""

    sources: list[Source]
    first: int
    after: str | None = None
    seen: list[Item] = field(default_factory=list)
    pages: list[Connection[Item]] = field(default_factory=list)

    def step(self) -> Connection[Item]:
        cursor = SIGNER.read(self.after, b"")
        parts = [source.part(cursor, self.first) for source in self.sources]
        found = page(parts, self.first, cursor, NEWEST, lambda at: SIGNER.write(at, b""))
        self.after = found.page_info.end_cursor
        self.seen += found.nodes
        self.pages.append(found)
        return found

    def to_the_end(self) -> None:
        while self.step().page_info.has_next_page:
            assert len(self.pages) < 500


keys = st.integers(0, 30)
lists = st.lists(st.lists(keys, max_size=15), min_size=1, max_size=4)


def sources_of(raw: Sequence[Sequence[int]]) -> list[Source]:
    return [
        Source(f"s{number}", [Item(key, f"{number}-{at:02}") for at, key in enumerate(one)])
        for number, one in enumerate(raw)
    ]


@given(lists, st.integers(1, 7))
def test_pages_are_the_sorted_list_of_all(raw: list[list[int]], first: int) -> None:
    walk = Walk(sources_of(raw), first)
    walk.to_the_end()
    assert walk.seen == sorted((item for source in walk.sources for item in source.items), reverse=True)
    assert all(len(found.nodes) == first for found in walk.pages[:-1])


@given(lists, st.integers(1, 5), st.data())
def test_going_on_from_any_edge_is_going_on_from_there(raw: list[list[int]], first: int, data: st.DataObject) -> None:
    walk = Walk(sources_of(raw), first)
    everything = sorted((item for source in walk.sources for item in source.items), reverse=True)
    found = walk.step()
    if found.edges:
        at = data.draw(st.integers(0, len(found.edges) - 1))
        other = Walk(walk.sources, first, after=found.edges[at].cursor)
        other.to_the_end()
        assert other.seen == everything[at + 1 :]


moves = st.lists(
    st.one_of(
        st.tuples(st.just("insert"), st.integers(0, 3), st.integers(0, 5)),
        st.tuples(st.just("fail"), st.integers(0, 3), st.integers(0, 15)),
        st.tuples(st.just("forget"), st.integers(0, 3), st.just(0)),
        st.tuples(st.just("heal"), st.integers(0, 3), st.just(0)),
        st.tuples(st.just("page"), st.just(0), st.just(0)),
    ),
    max_size=30,
)


@settings(max_examples=400)
@given(lists, st.integers(1, 6), moves)
def test_nothing_is_repeated_and_nothing_lost_while_sources_grow_fail_and_heal(
    raw: list[list[int]], first: int, moves: list[tuple[str, int, int]]
) -> None:
    walk = Walk(sources_of(raw), first)
    at_the_start = {item for source in walk.sources for item in source.items}
    newest = 31
    for move, number, how in moves:
        source = walk.sources[number % len(walk.sources)]
        if move == "insert":
            newest += how % 2  # now and then within the same second
            source.items.append(Item(newest, f"{source.name}-new-{len(source.items):02}"))
        elif move == "page":
            walk.step()
        else:
            source.failing = move != "heal"
            source.reach = how
            source.kept = None if move == "forget" else source.kept
    for source in walk.sources:
        source.failing = False
    walk.to_the_end()
    assert len(walk.seen) == len(set(walk.seen)), "something came twice"
    assert at_the_start <= set(walk.seen), "something was lost"


def test_a_source_that_heals_gives_what_it_could_not_give_before() -> None:
    one, other = sources_of([[9, 7, 5], [8, 6, 4]])
    walk = Walk([one, other], 2)
    other.failing = True
    assert [item.key for item in walk.step().nodes] == [9, 7]
    other.failing = False
    assert [item.key for item in walk.step().nodes] == [8, 6]
    assert [item.key for item in walk.step().nodes] == [5, 4]
    assert not walk.pages[-1].page_info.has_next_page


def test_a_page_with_a_failed_source_may_have_a_next_one_and_an_empty_page_ends_where_it_began() -> None:
    one, other = sources_of([[9], [8]])
    walk = Walk([one, other], 5)
    other.failing = True
    found = walk.step()
    assert found.page_info.has_next_page
    before = walk.after
    empty = walk.step()
    assert (empty.nodes, empty.page_info.has_next_page, walk.after) == ([], False, before)
    other.failing = False
    assert [item.key for item in walk.step().nodes] == [8]


def test_what_came_since_a_stale_list_was_told_comes_when_its_source_has_healed() -> None:
    one, other = sources_of([[9, 3], [8, 2]])
    Walk([one, other], 9).to_the_end()
    other.items.append(Item(10, "1-late"))
    other.failing = True
    walk = Walk([one, other], 3)
    assert [item.key for item in walk.step().nodes] == [9, 8, 3]
    assert walk.pages[0].sources[1].state is SourceState.STALE
    assert not walk.pages[0].sources[1].complete
    other.failing = False
    walk.to_the_end()
    assert [item.key for item in walk.seen] == [9, 8, 3, 10, 2]


def test_nothing_is_asked_for_and_nothing_is_given() -> None:
    found = page([Part("a", told(account("a"), NOON, None), [Item(1, "x")])], 0, BEGINNING, NEWEST, lambda _: "c")
    assert (found.nodes, found.page_info.has_next_page, found.page_info.end_cursor) == ([], True, None)


def whole(parts: Sequence[Part[Item]], first: int, after: str | None) -> Connection[Item]:
    return whole_page(parts, first, SIGNER.read(after, b""), BY_NAME, lambda at: SIGNER.write(at, b""))


@given(lists, st.integers(1, 7), st.lists(st.booleans(), max_size=60))
def test_whole_lists_are_paged_in_order_and_lose_nothing_over_failures(
    raw: list[list[int]], first: int, failures: list[bool]
) -> None:
    lists = {source.name: source.items for source in sources_of(raw)}
    after: str | None = None
    seen: list[Item] = []
    while True:
        parts = [
            Part(name, failed(account(name), down(name)), untold=(EVERYWHERE,))
            if failures and failures.pop()
            else Part(name, told(account(name), NOON, None), items)
            for name, items in lists.items()
        ]
        found = whole(parts, first, after)
        seen += found.nodes
        after = found.page_info.end_cursor
        healthy = all(part.status.complete for part in parts)
        assert (found.total_count is not None) == healthy
        if healthy and not found.page_info.has_next_page:
            break
    assert sorted(seen) == sorted(item for items in lists.values() for item in items)


def test_whole_lists_are_counted_where_none_is_missing() -> None:
    items = [Item(2, "b"), Item(1, "a")]
    parts = [Part("a", told(account("a"), NOON, None), items), Part("b", unsupported(account("b")))]
    found = whole(parts, 1, None)
    assert ([item.key for item in found.nodes], found.total_count) == ([1], 2)
    assert whole(parts, 1, found.page_info.end_cursor).total_count == 2


def test_a_failure_says_when_to_come_again_and_never_too_early() -> None:
    error = failed(account("a"), down("a")).error
    assert error is not None
    assert error.retry_after_seconds == 4
