"""A token, as a login gets it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Token:
    """`expires_at` in UNIX seconds, None where the vendor does not say. `scope`: None where it tells none."""

    value: str
    expires_at: float | None
    scope: frozenset[str] | None = None

    def __repr__(self) -> str:
        return "Token(***)"
