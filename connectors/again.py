"""What a vendor tells again, at another time."""

from collections.abc import Callable
from datetime import datetime

from connectors.presence import connectivity
from domain.copies import copier
from domain.model import Connectivity, Machine, Slot

slot: Callable[[Slot, datetime], Slot] = copier(Slot, "observed_at")
machine: Callable[[Machine, datetime], Machine] = copier(Machine, "observed_at")
_seen: Callable[[Machine, Connectivity, datetime], Machine] = copier(Machine, "connectivity", "observed_at")


def machine_seen(known: Machine, at: datetime, minutes: int) -> Machine:
    """One whose connectivity is what `connectivity` says."""
    return _seen(known, connectivity(known.last_seen_at, at, minutes), at)
