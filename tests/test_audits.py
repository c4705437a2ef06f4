"""GraphQL over HTTP, as the audits of npm's graphql-http have it."""

from tests.npm import NEEDS_NODE, run
from tests.running import ADMIN, Gateway

AUDITS = 61

pytestmark = NEEDS_NODE


async def test_all_audits_pass(gateway: Gateway) -> None:
    """With a key that may ask the schema of itself: some audits do."""
    found = await run("audit.mjs", {"url": f"{gateway.base}/graphql", "key": ADMIN})
    assert [one for one in found if one["status"] != "ok"] == []
    assert len(found) == AUDITS
