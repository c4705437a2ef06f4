"""The state of a machine is the same in whatever order its observations arrive."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import reduce
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.facts import Observation, Scan
from domain.model import DoorState, MachineGroup, Temperature
from domain.states import COMMANDS_KEPT, MachineState, merged

START = datetime(2024, 5, 6, 12, tzinfo=UTC)
DOORS = {"unlocked": DoorState.UNLOCKED, "opened": DoorState.OPENED, "closed": DoorState.CLOSED}


def at(second: int) -> datetime:
    return START + timedelta(seconds=second)


def seen(second: int, **parts: Any) -> Observation:
    return Observation(machine="m", at=at(second), **parts)


def door(second: int, word: str, command: str | None = None) -> Observation:
    return seen(second, door=DOORS[word], command=command)


def warm(second: int, celsius: float, *, measured: bool = True) -> Observation:
    return seen(second, temperature=Temperature(celsius=celsius, measured_at=at(second) if measured else None))


def scan(second: int, *tags: str) -> Observation:
    return seen(second, scan=Scan(tags=frozenset(tags), opening=None))


def after(observations: Iterable[Observation]) -> MachineState:
    return reduce(lambda state, observed: merged(state, observed)[0], observations, MachineState())


# Each at its own time.
OBSERVATIONS = st.lists(
    st.builds(
        Observation,
        machine=st.just("m"),
        at=st.integers(0, 50).map(at),
        alive=st.booleans(),
        command=st.sampled_from([None, "c1", "c2"]),
        door=st.sampled_from([None, *DoorState]),
        temperature=st.sampled_from(
            [
                None,
                *(Temperature(celsius=celsius, measured_at=told) for celsius in (1.0, 2.0) for told in (None, START)),
            ]
        ),
        scan=st.sampled_from([None, *(Scan(tags=frozenset(tags), opening=None) for tags in ("", "a", "ab"))]),
        group=st.sampled_from([None, *(MachineGroup(id=name, name=name) for name in "ab")]),
    ),
    unique_by=lambda observed: observed.at,
    max_size=7,
)


@given(OBSERVATIONS, st.randoms(use_true_random=False))
def test_any_order_of_arrival_ends_in_the_same_state(found: list[Observation], random: Any) -> None:
    shuffled = random.sample(found, len(found))
    assert after(shuffled) == after(sorted(found, key=lambda one: one.at))


@given(OBSERVATIONS)
def test_what_is_told_again_changes_nothing(found: list[Observation]) -> None:
    state = after(found)
    for observed in sorted(found, key=lambda one: one.at):
        assert merged(state, observed) == (state, ())


@given(OBSERVATIONS)
def test_each_part_is_the_newest_that_was_told(found: list[Observation]) -> None:
    state = after(found)
    newest = max(found, key=lambda one: one.at, default=None)
    assert (state.last_seen, state.alive) == (newest and newest.at, newest and newest.alive)
    scans = [one for one in found if one.scan is not None]
    last = max(scans, key=lambda one: one.at, default=None)
    assert state.tags == (last and last.scan and last.scan.tags)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (2, 0, 1)])
@pytest.mark.parametrize(
    "second", [lambda _: 5, lambda step: step, lambda step: 9 - step], ids=["same", "late", "early"]
)
def test_within_a_command_a_door_only_goes_forward(order: tuple[int, ...], second: Any) -> None:
    """Whatever their times say: a report without a time of its own has that of its arrival."""
    steps = [door(second(step), word, "c1") for step, word in enumerate(DOORS)]
    assert after(steps[step] for step in order).door is DoorState.CLOSED


def test_a_commands_late_step_does_not_undo_it_even_when_another_has_spoken_since() -> None:
    closed, looked = door(1, "closed", "c1"), door(2, "closed")
    assert after([closed, looked, door(3, "opened", "c1")]).door is DoorState.CLOSED
    assert after([closed, door(2, "unlocked", "c2"), door(3, "unlocked", "c1")]).door is DoorState.UNLOCKED
    assert after([closed, door(2, "unlocked", "c2")]).door is DoorState.UNLOCKED


def test_a_look_at_a_door_knows_no_steps() -> None:
    assert after([door(1, "closed"), door(2, "opened")]).door is DoorState.OPENED


def test_of_two_at_the_same_time_the_one_that_arrives_last_counts() -> None:
    """Vendors tell whole seconds."""
    assert after([door(1, "closed", "c1"), door(1, "unlocked", "c2")]).door is DoorState.UNLOCKED
    assert after([scan(1, "a"), scan(1, "b")]).tags == frozenset({"b"})
    assert after([seen(1, alive=False), seen(1)]).alive is True


def test_a_repeated_temperature_keeps_the_time_of_its_measurement() -> None:
    repeated, other = warm(2, 5.0, measured=False), warm(2, 6.0, measured=False)
    for order in ([warm(1, 5.0), repeated], [repeated, warm(1, 5.0)]):
        assert after(order).temperature == Temperature(celsius=5.0, measured_at=at(1))
    for order in ([warm(1, 5.0), other], [other, warm(1, 5.0)]):
        assert after(order).temperature == Temperature(celsius=6.0, measured_at=None)
    assert after([warm(1, 6.0, measured=False), warm(2, 5.0)]).temperature == Temperature(
        celsius=5.0, measured_at=at(2)
    )
    assert after([repeated]).temperature == Temperature(celsius=5.0, measured_at=None)


def test_the_steps_of_so_many_commands_are_kept_and_no_more() -> None:
    state = after(door(second, "closed", f"c{second}") for second in range(100))
    assert len(state.doors) == COMMANDS_KEPT
    assert state.doors[0].command == "c99"


def test_nothing_observed_is_nothing_known() -> None:
    state = MachineState()
    known = (state.last_seen, state.alive, state.door, state.temperature, state.tags, state.group)
    assert known == (None,) * 6


@pytest.mark.parametrize(
    ("observed", "changed"),
    [
        (seen(0), ()),
        (seen(2), ("lastSeenAt",)),
        (seen(2, alive=False), ("connectivity", "lastSeenAt")),
        (seen(0, alive=False), ()),
        (seen(1, alive=False), ("connectivity",)),
        (door(2, "opened", "c1"), ("lastSeenAt", "door")),
        (door(2, "closed"), ("lastSeenAt",)),
        (door(0, "opened"), ()),
        (warm(2, 4.0), ("lastSeenAt", "temperature")),
        (warm(2, 5.0, measured=False), ("lastSeenAt",)),
        (warm(0, 4.0), ()),
        (scan(2, "a"), ("lastSeenAt",)),
        (scan(2), ("lastSeenAt", "slots")),
        (scan(0), ()),
        (seen(2, group=MachineGroup(id="g", name="New name")), ("lastSeenAt", "group")),
        (seen(0, group=MachineGroup(id="g", name="Old name")), ()),
    ],
)
def test_what_changed_is_named_as_in_the_graph(observed: Observation, changed: tuple[str, ...]) -> None:
    known = seen(
        1,
        door=DoorState.CLOSED,
        temperature=Temperature(celsius=5.0, measured_at=at(1)),
        scan=Scan(tags=frozenset({"a"}), opening=None),
        group=MachineGroup(id="g", name="Group"),
    )
    first, everything = merged(MachineState(), known)
    assert everything == ("connectivity", "lastSeenAt", "door", "temperature", "slots", "group")
    assert merged(first, observed)[1] == changed
