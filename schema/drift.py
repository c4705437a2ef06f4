"""How vendors' answers differ from what they are taken to be."""

from datetime import datetime

import strawberry

from domain.drift import DriftKind
from schema.edge import attribute as told


@strawberry.type(description="One way in which a vendor's answers differ from what they are taken to be.")
class Drift:
    operation: str = told("The request whose answer it is, or `webhook:` and what sort of delivery.")
    path: str = told("Which member of the answer, such as `data[].status`.")
    kind: DriftKind = told("What is wrong with it.")
    expected: str = told("What was expected there.")
    seen: str = told("What is there instead: the unknown word itself, else only what sort of value. Never the value.")
    fingerprint: str = told("The same for the same difference, on every account and every gateway.")
    count: int = told("How often it was met.")
    first_seen_at: datetime = told("When it was met first.")
    last_seen_at: datetime = told("When it was met last.")
