"""Many changes at once."""

from datetime import datetime
from typing import Any

import strawberry

from domain import bulk
from domain.capabilities import Capability
from resolvers import bulk_asking
from schema import basics
from schema.commands import Command
from schema.edge import attribute as told
from schema.edge import edge
from schema.mutations import PlannedRequest, UserError


@strawberry.type(description="One of many changes: a command, or the errors for which there is none.")
class BulkItem:
    index: int = told("Its place in what was asked, from 0 on.")
    command: Command | None = told(
        "Its newest command as it is by now. Null where there are errors, and where it has not been looked at yet."
    )
    errors: list[UserError] = told("Why it was not taken on; nothing was sent.")
    planned: list[PlannedRequest] | None = told(
        "With `dryRun`: what would be sent; null without it. The command that comes with it is kept nowhere, and "
        "its id finds nothing."
    )


@strawberry.type(description="How many of a bulk's items have come how far. Each is counted once.")
class BulkCounts:
    waiting: int = told("Not looked at yet.")
    refused: int = told("Not taken on, with errors; nothing was sent.")
    under_way: int = told("Their commands are PENDING, SENT or ACKNOWLEDGED.")
    succeeded: int = told("Their commands are SUCCEEDED.")
    failed: int = told("Their commands are FAILED.")
    unknown: int = told("Their commands are UNKNOWN.")


@strawberry.type(description="Many changes that were asked for at once. Each is a command of its own.")
class Bulk(basics.Node):
    kind: Capability = told("What was asked for each.")
    requested_by: str = told("The name of the key that asked first.")
    idempotency_key: str = told("The client's own, unique for each intent; its items' keys begin with it.")
    created_at: datetime = told("When it was recorded, before anything was sent.")
    running: bool = told(
        "Whether somebody is at it. What was never sent when nobody is any more is sent when the same is asked again."
    )
    counts: BulkCounts = told("How far its items have come.")
    items: list[BulkItem] = told("All of them, in the order in which they were asked for.")

    @classmethod
    def is_type_of(cls, value: object, _: Any) -> bool:
        return isinstance(value, bulk.Bulk)


@strawberry.type(description="A bulk, or the errors for which there is none: `bulk` is null exactly then.")
class BulkPayload:
    bulk: Bulk | None = told("All of it as it is by now; it may go on, so follow it by its id, or its commands.")
    errors: list[UserError] = told("What is wrong with the whole. Nothing was sent.")


def _asks(resolver: Any, description: str) -> Any:
    return edge(
        resolver,
        description=description,
        input="What is asked, 500 items at the most.",
        dry_run="Sends nothing, keeps nothing, and tells of each item what would be sent; not where it is left out.",
    )


@strawberry.type(description="Many changes at once.")
class BulkMutation:
    set_prices: BulkPayload = _asks(
        bulk_asking.asks(bulk.SetPricesInput, bulk_asking.prices),
        "Sets what products cost in many slots, of machines of any vendors. For admins.",
    )
    update_planograms: BulkPayload = _asks(
        bulk_asking.asks(bulk.UpdatePlanogramsInput, bulk_asking.planograms),
        "Sets what many machines are to hold, of any vendors. For admins.",
    )
