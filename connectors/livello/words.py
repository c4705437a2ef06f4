"""What Livello's requests have in common."""

from domain.errors import BadInput


def number_of(native: str, *field: str) -> int:
    """Most of its ids are numbers. Raises BadInput."""
    if not (native.isascii() and native.isdecimal() and len(native) <= 15):
        raise BadInput("livello's ids are numbers, and this is none", "input", *field)
    return int(native)
