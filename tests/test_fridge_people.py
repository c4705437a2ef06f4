"""What fridges tell of people, films and badges: who sees it, and what must never hold it."""

import asyncio
from typing import Any

import httpx2
import pytest
from structlog.testing import capture_logs

from tests.following import events
from tests.running import ADMIN, OPERATOR, VIEWER, Gateway, Sandbox
from tests.test_fridges_live import deliver

FILM = "https://video.eatmachine.example/film-of-canary-5c1d.mp4"
ANOTHER = f"{FILM}?another"
BADGE = "badge-of-canary-5c1d"
SEEN = "code videoUrl badge unavailable { field reason } vendorData"
EVENTS = f"{{ events(first: 10, filter: {{ vendors: [EATMACHINE] }}) {{ nodes {{ id {SEEN} }} }} }}"
FOLLOWED = f"subscription {{ events {{ cursor event {{ {SEEN} }} }} }}"
Row = dict[str, Any]


@pytest.fixture
def fridge(sandbox: Sandbox) -> str:
    return str(sandbox.truth("eatmachine")["machines"][0]["uuid"])


def filmed(fridge: str, film: str = FILM) -> Row:
    return {"type": "video", "data": {"url": film}, "fridge": {"uuid": fridge}}


def presented(fridge: str, token: object = BADGE) -> Row:
    return {"type": "badge-presented", "data": {"badge_token": token}, "fridge": {"uuid": fridge}, "command": None}


def counted(fridge: str) -> Row:
    """An opening's last word may carry its film."""
    command = {"uuid": "opened-once", "type": {"slug": "open"}, "status": "inventory", "video": FILM}
    return {"type": "inventory", "data": {"epcs": []}, "fridge": {"uuid": fridge}, "command": command}


def told(gateway: Gateway, key: str) -> dict[str, Row]:
    """By code, of the newest of each."""
    nodes = gateway.ask(EVENTS, key=key)["events"]["nodes"]
    return {one["code"]: one for one in reversed(nodes)}


@pytest.mark.parametrize("key", [OPERATOR, ADMIN])
def test_films_and_badges_are_for_those_who_may_know_people(gateway: Gateway, fridge: str, key: str) -> None:
    for report in (filmed(fridge), presented(fridge), counted(fridge)):
        deliver(gateway, fridge, report)
    found = told(gateway, key)
    assert (found["video"]["videoUrl"], found["video"]["badge"]) == (FILM, None)
    assert (found["badge-presented"]["badge"], found["badge-presented"]["videoUrl"]) == (BADGE, None)
    assert found["inventory"]["videoUrl"] == FILM
    assert [one["unavailable"] for one in found.values()] == [[]] * len(found)
    assert "canary" not in str([one["vendorData"] for one in found.values()])


def test_a_viewer_learns_that_there_is_one_and_no_more(gateway: Gateway, fridge: str) -> None:
    for report in (filmed(fridge), presented(fridge), {"type": "boot", "fridge": {"uuid": fridge}}):
        deliver(gateway, fridge, report)
    found = told(gateway, VIEWER)
    assert "canary" not in str(found)
    assert {code: found[code]["unavailable"] for code in ("video", "badge-presented", "boot")} == {
        "video": [{"field": name, "reason": "NOT_PERMITTED"} for name in ("vendorData", "videoUrl")],
        "badge-presented": [{"field": name, "reason": "NOT_PERMITTED"} for name in ("vendorData", "badge")],
        "boot": [{"field": "vendorData", "reason": "NOT_PERMITTED"}],
    }
    by_id = "query ($id: ID!) { node(id: $id) { ... on MachineEvent { videoUrl } } }"
    assert gateway.ask(by_id, {"id": found["video"]["id"]}, key=VIEWER)["node"] == {"videoUrl": None}


async def test_followers_of_other_roles_share_no_message(gateway: Gateway, fridge: str) -> None:
    async with events(gateway, FOLLOWED, key=VIEWER) as below, events(gateway, FOLLOWED, key=OPERATOR) as above:
        await asyncio.to_thread(deliver, gateway, fridge, filmed(fridge, ANOTHER))
        shown, whole = [(await one.next())["events"]["event"] for one in (below, above)]
    assert (shown["code"], shown["videoUrl"]) == ("video", None)
    assert (whole["code"], whole["videoUrl"]) == ("video", ANOTHER)


@pytest.mark.parametrize(
    ("report", "member"),
    [
        ({"type": "video", "data": {"url": "javascript:canary()"}}, "videoUrl"),
        ({"type": "video", "data": {"url": ["https://canary"]}}, "videoUrl"),
        ({"type": "video", "data": {"url": "https://" + "canary" * 1_000}}, "videoUrl"),
        ({"type": "badge-presented", "data": {"badge_token": "canary" * 100}}, "badge"),
        ({"type": "badge-presented", "data": None}, "badge"),
        ({"type": "screen-status", "data": {"url": FILM, "badge_token": BADGE}}, "videoUrl"),
    ],
    ids=["script", "list", "long address", "long badge", "nothing", "another type"],
)
def test_what_is_no_such_thing_is_none(gateway: Gateway, fridge: str, report: Row, member: str) -> None:
    deliver(gateway, fridge, report | {"fridge": {"uuid": fridge}})
    assert told(gateway, ADMIN)[report["type"]][member] is None


def test_no_log_and_no_metric_holds_them(gateway: Gateway, fridge: str) -> None:
    broken: Row = counted(fridge)
    broken["data"] = {"epcs": FILM, "badge_token": BADGE}  # it is quarantined
    with capture_logs() as lines:
        for report in (filmed(fridge), presented(fridge), counted(fridge), broken):
            deliver(gateway, fridge, report)
        told(gateway, VIEWER)
    assert "webhook quarantined" in [line["event"] for line in lines]
    assert "canary" not in repr(lines)
    assert "canary" not in httpx2.get(f"{gateway.base}/metrics", trust_env=False).text
