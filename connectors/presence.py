"""Whether a machine is there, by when it was heard of last: a list of machines leaves that to the time of reading."""

from datetime import datetime, timedelta

from domain.model import Connectivity


def connectivity(seen: datetime | None, at: datetime, minutes: int) -> Connectivity:
    """At the time `at`; `minutes` are how old the last sign of life may be."""
    if seen is None:
        return Connectivity.UNKNOWN
    return Connectivity.ONLINE if at - seen <= timedelta(minutes=minutes) else Connectivity.OFFLINE
