"""The state of a machine, put together from what was observed of it, in whatever order that arrives."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from domain.facts import Observation
from domain.model import DoorState, MachineGroup, Temperature

T = TypeVar("T")

COMMANDS_KEPT = 8  # whose steps may still arrive out of order
RANKS = {DoorState.UNLOCKED: 1, DoorState.OPENED: 2, DoorState.CLOSED: 3}


@dataclass(frozen=True, slots=True)
class Seen(Generic[T]):
    value: T
    at: datetime


@dataclass(frozen=True, slots=True)
class DoorSeen:
    """`command`: the command that opened it, None for a door that was just looked at."""

    door: DoorState
    at: datetime
    command: str | None

    @property
    def rank(self) -> int:
        """How far a command has come; a look knows no steps."""
        return 0 if self.command is None else RANKS.get(self.door, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineState:
    """`life`: whether it is up, as it last said. `doors`: the furthest step of each of the latest commands, and the
    latest look, newest first. `measured`: a temperature with the time of its measurement, `remembered`: one without."""

    life: Seen[bool] | None = None
    doors: tuple[DoorSeen, ...] = ()
    measured: Seen[Temperature] | None = None
    remembered: Seen[Temperature] | None = None
    scanned: Seen[frozenset[str]] | None = None
    grouped: Seen[MachineGroup] | None = None

    @property
    def alive(self) -> bool | None:
        return None if self.life is None else self.life.value

    @property
    def last_seen(self) -> datetime | None:
        return None if self.life is None else self.life.at

    @property
    def door(self) -> DoorState | None:
        return self.doors[0].door if self.doors else None

    @property
    def temperature(self) -> Temperature | None:
        """The newest; what only repeats the last measurement is that measurement."""
        measured, remembered = self.measured, self.remembered
        if measured is None or remembered is None:
            found = measured or remembered
            return None if found is None else found.value
        repeated = remembered.at <= measured.at or remembered.value.celsius == measured.value.celsius
        return measured.value if repeated else remembered.value

    @property
    def tags(self) -> frozenset[str] | None:
        return None if self.scanned is None else self.scanned.value

    @property
    def group(self) -> MachineGroup | None:
        return None if self.grouped is None else self.grouped.value


FIELDS: Mapping[str, Callable[[MachineState], Any]] = {
    "connectivity": lambda state: state.alive,
    "lastSeenAt": lambda state: state.last_seen,
    "door": lambda state: state.door,
    "temperature": lambda state: state.temperature,
    "slots": lambda state: state.tags,
    "group": lambda state: state.group,
}


def merged(state: MachineState, observed: Observation) -> tuple[MachineState, tuple[str, ...]]:
    """The state after an observation, and the names of the graph's fields that it changed.

    Each part keeps its newest; of two with the same time, the one that arrives last."""
    at, temperature = observed.at, observed.temperature
    remembers = temperature is not None and temperature.measured_at is None
    after = MachineState(
        life=_newer(state.life, observed.alive, at),
        doors=_doors(state.doors, observed),
        measured=state.measured if remembers else _newer(state.measured, temperature, at),
        remembered=_newer(state.remembered, temperature, at) if remembers else state.remembered,
        scanned=_newer(state.scanned, None if observed.scan is None else observed.scan.tags, at),
        grouped=_newer(state.grouped, observed.group, at),
    )
    return after, tuple(name for name, read in FIELDS.items() if read(state) != read(after))


def _newer(kept: Seen[T] | None, value: T | None, at: datetime) -> Seen[T] | None:
    if value is None or (kept is not None and at < kept.at):
        return kept
    return Seen(value, at)


def _doors(kept: tuple[DoorSeen, ...], observed: Observation) -> tuple[DoorSeen, ...]:
    """A command's late step does not undo a further one; between commands and looks the time decides."""
    if observed.door is None:
        return kept
    seen = DoorSeen(observed.door, observed.at, observed.command)
    before = next((one for one in kept if one.command == seen.command), None)
    if before is not None and (seen.rank, seen.at) < (before.rank, before.at):
        return kept
    others = [one for one in kept if one.command != seen.command]
    place = next((place for place, one in enumerate(others) if one.at <= seen.at), len(others))
    others.insert(place, seen)
    return tuple(others[:COMMANDS_KEPT])
