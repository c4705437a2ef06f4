"""What left a machine is sold once, in whatever order its scans arrive."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from domain.facts import Observation, Scan
from domain.scans import held

START = datetime(2024, 5, 6, 12, tzinfo=UTC)
TAGS = tuple("abcdef")


def scan(second: int, tags: str, opening: str | None = None) -> Observation:
    found = Scan(tags=frozenset(tags), opening=opening)
    return Observation(machine="m", at=START + timedelta(seconds=second), scan=found)


def sold(arrived: Sequence[Observation]) -> Counter[str]:
    """How often each tag was found to be gone by a customer's scan."""
    found: Counter[str] = Counter()
    for place, one in enumerate(arrived):
        before = held(arrived[:place], one)
        if one.scan is not None and one.scan.opening is not None and before is not None:
            found.update(before - one.scan.tags)
    return found


@st.composite
def takings(draw: st.DrawFn) -> list[Observation]:
    """A full machine, and then scans of which each finds as much as the one before, or less; customers or not."""
    left, scans = list(TAGS), [scan(0, "".join(TAGS))]
    for second in range(1, draw(st.integers(1, 5))):
        opening = draw(st.sampled_from([None, f"c{second}"]))
        for tag in draw(st.lists(st.sampled_from(TAGS), max_size=2, unique=True)) if opening else ():
            left = [one for one in left if one != tag]
        scans.append(scan(second, "".join(left), opening))
    return scans


@given(takings(), st.randoms(use_true_random=False))
def test_what_customers_took_is_sold_once_in_any_order(scans: list[Observation], random: Any) -> None:
    last = scans[-1].scan
    assert last is not None
    first, *others = scans
    shuffled = [first, *random.sample(others, len(others))]
    assert sold(shuffled) == Counter(set(TAGS) - last.tags)
    assert sold([*shuffled, *shuffled]) == sold(shuffled)


def test_a_customer_who_was_overtaken_by_a_look_is_not_lost() -> None:
    full, customer, look = scan(1, "abc"), scan(2, "a", "c1"), scan(3, "a")
    assert held([full, look], customer) == frozenset("abc")


def test_what_a_later_customer_was_found_to_have_taken_is_not_sold_again() -> None:
    full, one, other = scan(1, "abc"), scan(2, "ab", "c1"), scan(3, "b", "c2")
    assert held([full], other) == frozenset("abc")
    assert held([full, other], one) == frozenset("b")


def test_nobody_knows_what_was_there_before_the_first_scan() -> None:
    assert held([], scan(1, "a", "c1")) is None
    assert held([scan(2, "a")], scan(1, "a", "c1")) is None
    assert held([Observation(machine="m", at=START)], scan(1, "a", "c1")) is None


def test_of_two_scans_at_the_same_time_the_one_that_arrived_last_counts() -> None:
    assert held([scan(1, "a"), scan(1, "b")], scan(2, "", "c1")) == frozenset("b")
