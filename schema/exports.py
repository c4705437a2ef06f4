"""Exports as the graph shows them."""

import strawberry

from domain.exports import ExportFormat, ExportState
from schema import types
from schema.edge import attribute as told


@strawberry.type(description="Where sales can be had as one long text. Nothing is read before it is asked for.")
class SalesExport:
    id: strawberry.ID = told("What `exports` follows it by: good for this key.")
    format: ExportFormat = told("What the text is.")
    path: str = told("To be asked for at this gateway by GET, with the same Authorization header.")


@strawberry.type(description="How far an export has come.")
class ExportProgress:
    id: strawberry.ID = told("Which export.")
    state: ExportState = told("Where it stands.")
    done: bool = told("Whether it has ended, well or not.")
    sales: int = told("How many sales were written so far.")
    rows: int = told("How many lines they are: of CSV, one for each line of a sale.")
    known: int | None = told(
        "How many sales it will have at least; null where nothing is known before, as where kinds are wanted."
    )
    total: int | None = told("How many sales it will have; null where a vendor has to be asked for some of them.")
    complete: bool | None = told("Whether nothing is missing from it; null before it has ended.")
    sources: list[types.SourceStatus] = told("How each account has contributed so far.")
