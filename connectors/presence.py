"""Whether a machine is there, by when it was heard of last: a list of machines leaves that to the time of reading."""

from dataclasses import replace
from datetime import datetime, timedelta

from domain.model import Connectivity, Machine


def connectivity(seen: datetime | None, at: datetime, minutes: int) -> Connectivity:
    """At the time `at`; `minutes` are how old the last sign of life may be."""
    if seen is None:
        return Connectivity.UNKNOWN
    return Connectivity.ONLINE if at - seen <= timedelta(minutes=minutes) else Connectivity.OFFLINE


def at_another_time(machine: Machine, at: datetime, minutes: int) -> Machine:
    """A machine of which the vendor tells the same, later; its connectivity is what `connectivity` says."""
    return replace(machine, observed_at=at, connectivity=connectivity(machine.last_seen_at, at, minutes))
