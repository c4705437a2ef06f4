"""EatMachine's operations and commands in the graph. What each command is sent as ends its path."""

from domain.refs import Kind
from tests.coverage.reach import Found, Reach, Reaches, Things, changing, telling

VENDOR = "EATMACHINE"
FRIDGES, BY_PASSWORD = (Things.ref(Kind.ACCOUNT, key) for key in ("acme-fridges", "acme-fridges-by-password"))
SIGN_IN = "query ($id: ID!) { node(id: $id) { ... on VendorAccount { signIn { accepted error { code } } } } }"
FLEET = "mutation ($input: CreateFleetInput!) { createFleet(input: $input) { command { fleet { id } } } }"


def _fleet(_: Things) -> Found:
    return {"accountId": FRIDGES, "name": "Kitchens"}


def _machine(things: Things) -> Found:
    given = {"input": {"idempotencyKey": "the-fleet-of-coverage", **_fleet(things)}}
    group = things.gateway.ask(FLEET, given)["createFleet"]["command"]["fleet"]["id"]
    return {"accountId": FRIDGES, "groupId": group, "mostCelsius": "8"}


REACHES: Reaches = {
    "who-am-i": [Reach(coordinates=("VendorAccount.signIn",), document=SIGN_IN, given=lambda _: {"id": FRIDGES})],
    "login": [
        Reach(
            coordinates=("VendorAccount.signIn",),
            document=SIGN_IN,
            given=lambda _: {"id": BY_PASSWORD},
            renewing="/auth/me",
        )
    ],
    "create-fleet": [changing("createFleet", _fleet)],
    "create-fridge": [changing("createMachine", _machine)],
    "post-command": [telling("scanInventory", VENDOR)],
}
COMMANDS: Reaches = {
    "reboot": [telling("reboot", VENDOR)],
    "open": [telling("openDoor", VENDOR)],
    "inventory": [telling("scanInventory", VENDOR)],
    "temperature": [telling("measureTemperature", VENDOR)],
    "door-status": [telling("readDoor", VENDOR)],
    "restart-app": [telling("restartApp", VENDOR)],
}
BY_HAND = {"link-fridge": "CommandPayload.initKey"}
