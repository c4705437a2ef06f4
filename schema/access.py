"""Whether a vendor takes an account's credentials."""

from datetime import datetime

import strawberry

from schema.basics import SourceError
from schema.edge import attribute as told


@strawberry.type(description="What a vendor said when it was asked whether it takes an account's credentials.")
class SignIn:
    accepted: bool | None = told("Whether it takes them; null where it gave no answer to that.")
    asked_at: datetime = told("When it was asked: the answer is kept for a while.")
    error: SourceError | None = told("Why not, or what kept it from answering; null where it takes them.")
