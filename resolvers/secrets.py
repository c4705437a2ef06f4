"""Secrets that a vendor tells once: for whoever asked, and then nobody. They are kept in this process' memory only."""

from collections.abc import Callable

from connectors.base import Secret

KEPT = 600.0  # seconds


class Secrets:
    """By the command that they came of. `clock` in seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._kept: dict[str, tuple[Secret, float]] = {}

    def keep(self, command: str, secret: Secret) -> None:
        self._drop_old()
        self._kept[command] = secret, self._clock() + KEPT

    def take(self, command: str) -> Secret | None:
        """Whoever takes it is the only one who ever does."""
        self._drop_old()
        found = self._kept.pop(command, None)
        return None if found is None else found[0]

    def _drop_old(self) -> None:
        now = self._clock()
        self._kept = {command: kept for command, kept in self._kept.items() if kept[1] > now}
