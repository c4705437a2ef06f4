"""Bulks as clients ask for them, and what of them reached the vendors."""

from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

from tests.commanding import Found, new_key, of_vendor
from tests.running import ADMIN, Gateway

BULK = """id kind requestedBy idempotencyKey running counts { waiting refused underWay succeeded failed unknown }
  items { index command { id status error errorCode idempotencyKey machine { id } }
    errors { code message field reason } planned { method path body } }"""
TOLD = f"(input: $input, dryRun: $dry) {{ bulk {{ {BULK} }} errors {{ code message field }} }}"
PRICES = f"mutation ($input: SetPricesInput!, $dry: Boolean) {{ setPrices{TOLD} }}"
PLANOGRAMS = f"mutation ($input: UpdatePlanogramsInput!, $dry: Boolean) {{ updatePlanograms{TOLD} }}"
READ = f"query ($id: ID!) {{ bulk(id: $id) {{ {BULK} }} }}"


def ask(
    gateway: Gateway,
    query: str,
    *,
    key: str | None = None,
    dry: bool = False,
    by: str = ADMIN,
    **items: Sequence[Found],
) -> Found:
    """The payload."""
    variables = {"input": items | {"idempotencyKey": new_key() if key is None else key}, "dry": dry}
    (found,) = gateway.ask(query, variables, key=by).values()
    assert (found["bulk"] is None) == bool(found["errors"]), found
    payload: Found = found
    return payload


def asked(gateway: Gateway, query: str, **given: Any) -> Found:
    """The bulk."""
    payload = ask(gateway, query, **given)
    assert payload["errors"] == [], payload
    found: Found = payload["bulk"]
    assert [item["index"] for item in found["items"]] == list(range(len(found["items"])))
    return found


def read(gateway: Gateway, id_: str, by: str = ADMIN) -> Found:
    found: Found = gateway.ask(READ, {"id": id_}, key=by)["bulk"]
    return found


def ended(bulk: Found) -> bool:
    return not (bulk["running"] or bulk["counts"]["waiting"] or bulk["counts"]["underWay"])


def statuses(bulk: Found) -> list[str | None]:
    """Each item's, or the code of its error."""
    return [
        item["errors"][0]["code"] if item["errors"] else item["command"] and item["command"]["status"]
        for item in bulk["items"]
    ]


def slots(machines: Sequence[Found], *vendors: str, each: int = 1000) -> list[Found]:
    """One with a product in it of so many machines of each vendor: vendor by vendor in turn."""
    found = [[one for one in of_vendor(list(machines), vendor) if _filled(one)][:each] for vendor in vendors]
    mixed = [one for together in zip_longest(*found) for one in together if one is not None]
    return [{"vendor": one["vendor"], "machine": one, **_filled(one)[0]} for one in mixed]


def _filled(machine: Found) -> list[Found]:
    return [slot for slot in machine["slots"] or () if slot["product"] is not None and slot["price"] is not None]


def priced(found: Sequence[Found], cents: int) -> list[Found]:
    """Each at a price of its own."""
    return [{"slotId": one["id"], "amount": amount(cents + at)} for at, one in enumerate(found)]


def amount(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02}"
