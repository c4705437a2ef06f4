"""Whether a vendor takes an account's credentials."""

from dataclasses import dataclass
from datetime import datetime

from domain.paging import SourceError


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """`accepted`: None where the vendor gave no answer to that."""

    accepted: bool | None
    asked_at: datetime
    error: SourceError | None
