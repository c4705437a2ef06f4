"""What an answer was made of, so that the answer can be kept for as long as all of that stands."""

from typing import Protocol


class Reading(Protocol):
    """Something that was read, as it was then."""

    def stands(self) -> bool:
        """Whether whoever reads it now reads the same, and nobody is asked for it."""
        ...


class Mark:
    """Stands until it is told that something is another by now."""

    __slots__ = ("_stands",)

    def __init__(self) -> None:
        self._stands = True

    def stands(self) -> bool:
        return self._stands

    def fall(self) -> None:
        self._stands = False
