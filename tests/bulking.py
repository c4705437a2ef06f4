"""Bulks as clients ask for them, and what of them reached the vendors."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from tests.commanding import Found, new_key
from tests.running import ADMIN, Gateway, Sandbox

BULK = """id kind requestedBy idempotencyKey running counts { waiting refused underWay succeeded failed unknown }
  items { index command { id status error errorCode idempotencyKey machine { id } }
    errors { code message field reason } planned { method path body } }"""
PRICES = f"""mutation ($input: SetPricesInput!, $dry: Boolean) {{ setPrices(input: $input, dryRun: $dry) {{
  bulk {{ {BULK} }} errors {{ code message field }} }} }}"""
PLANOGRAMS = f"""mutation ($input: UpdatePlanogramsInput!, $dry: Boolean) {{ updatePlanograms(input: $input, dryRun: $dry) {{
  bulk {{ {BULK} }} errors {{ code message field }} }} }}"""
READ = f"query ($id: ID!) {{ bulk(id: $id) {{ {BULK} }} }}"


def ask(
    gateway: Gateway, query: str, *, key: str | None = None, dry: bool = False, by: str = ADMIN, **items: Sequence[Found]
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


def written(sandbox: Sandbox, vendor: str) -> "Counter[str]":
    """How often each price was written by a vendor, as it counts."""
    sent = sandbox.vendors[vendor].commands if vendor == "smartvend" else sandbox.vendors[vendor].fleet.commands
    return Counter(_price(vendor, body) for body in sent)


def _price(vendor: str, body: Any) -> str:
    return str(body)
