"""Windows names of time zones as IANA names and the other way, by the CLDR's table."""

from functools import lru_cache
from zoneinfo import available_timezones

from tzlocal.windows_tz import tz_win, win_tz


@lru_cache(maxsize=1024)
def iana(name: str | None) -> str | None:
    """None for a name that is in neither list."""
    if name is None:
        return None
    return win_tz.get(name) or (name if name in available_timezones() else None)


def windows(name: str) -> str | None:
    """None for what is no IANA name, or has no Windows name."""
    found: str | None = tz_win.get(name)
    return found
