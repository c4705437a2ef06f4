"""What EatMachine's answers and deliveries are taken to look like. The documents' samples leave members out, and so
most of them may be lacking."""

from collections.abc import Mapping
from typing import Any

from connectors.eatmachine.events import BADGE, MESSAGES
from connectors.eatmachine.hooks import ROUTINE
from connectors.eatmachine.orders import SLUGS
from connectors.eatmachine.report import DOOR, DOORS, INVENTORY, LINKED, TEMPERATURE
from connectors.shapes import ID, NUMBER, TEXT, TIME, AnyShape, Members, Rows, Words

WEBHOOK = "webhook"
STATUSES = DOORS.keys() | {"ack", "success", "failed", INVENTORY}
FRIDGE = Members(
    {
        "uuid!": TEXT,
        "doorStatus?": Words(DOORS),
        "temperature?": NUMBER,
        "lastActivity?": TIME,
        "name?": TEXT,
        "fleet?": Members({"uuid!": TEXT, "name?": TEXT}),
        "settings?": Members({"temperatureMinAlert?": NUMBER, "temperatureMaxAlert?": NUMBER}),
    }
)
COMMAND = Members(
    {
        "uuid!": TEXT,
        "status?": Words(STATUSES),
        "message?": TEXT,
        "updatedAt?": TIME,
        "type?": Members({"slug!": Words(SLUGS.values())}),
    }
)
TOLD: dict[str, AnyShape] = {
    DOOR: Members({"status!": Words(DOORS)}),
    INVENTORY: Members({"epcs!": Rows(TEXT)}),
    TEMPERATURE: Members({"temperature!": NUMBER}),
    BADGE: Members({"badge_token": ID}),
    "video": Members({"url": TEXT}),
}
BEGUN = Members({"type!": TEXT, "fridge!": FRIDGE, "command?": COMMAND})
REPORTS = {kind: BEGUN | ({"data": TOLD[kind]} if kind in TOLD else {}) for kind in TOLD.keys() | MESSAGES | ROUTINE}
LINKING = Members(
    {
        "type!": TEXT,
        "data!": Rows(Members({"code!": TEXT})),
        "product!": Members({"uuid!": TEXT, "name": TEXT}),
    }
)
SHAPES: Mapping[str, AnyShape] = {
    "login": Members({"token!": TEXT}),
    **{f"{WEBHOOK}:{kind}": shape for kind, shape in REPORTS.items()},
    f"{WEBHOOK}:{LINKED}": LINKING,
    WEBHOOK: Members({"type!": Words(REPORTS.keys() | {LINKED})}),
}


def delivered(signed: Any) -> str:
    """By its type, where that is known."""
    told = signed.get("type") if isinstance(signed, dict) else None
    named = f"{WEBHOOK}:{told}"
    return named if named in SHAPES else WEBHOOK
