"""SmartVend's operations in the graph."""

from tests.coverage.reach import Found, Given, Reaches, Things, changing, listing, of_machine, telling

VENDOR = "SMARTVEND"


def _machine(**more: object) -> Given:
    return lambda things: {"machineId": things.machine(VENDOR)["id"], **more}


def _planogram(things: Things) -> Found:
    """A machine of the sort that brews has a product in each place."""
    slot = things.slot(VENDOR)
    machine = next(one for one in things.machines(VENDOR) if slot in (one["slots"] or ()))
    placed = {"row": 0, "column": 0, "productId": slot["product"]["id"], "price": "1.25"}
    return {"machineId": machine["id"], "rows": 1, "columns": 1, "slots": [placed]}


REACHES: Reaches = {
    "get-list-of-controllers": [listing("machines", VENDOR)],
    "get-controller-matrix": [of_machine("Machine.slots", "slots { position }", VENDOR)],
    "get-controller-config": [of_machine("Machine.config", "config { settings }", VENDOR)],
    "get-controller-connection-status": [of_machine("Machine.connectivityNow", "connectivityNow", VENDOR)],
    "get-controller-state": [of_machine("Machine.cash", "cash { total { amount } }", VENDOR)],
    "get-list-of-products": [listing("products", VENDOR)],
    "get-list-of-sales": [listing("sales", VENDOR)],
    "get-list-of-events": [listing("events", VENDOR)],
    "get-dictionary-of-events": [listing("events", VENDOR, "message(language: DE)", "MachineEvent.message")],
    "get-encashments-list": [listing("cashCollections", VENDOR)],
    "create-encashment": [telling("collectCash", VENDOR)],
    "issue-product": [changing("dispenseProduct", _machine(position="1"))],
    "send-deposit-to-controller": [changing("sendDeposit", _machine(amount="1.25"))],
    "send-remote-payment-to-controller": [changing("sendRemotePayment", _machine(amount="1.25"))],
    "update-controller-matrix": [
        changing("setPrice", lambda things: {"slotId": things.slot(VENDOR)["id"], "amount": "1.75"}),
        changing("updatePlanogram", _planogram),
    ],
    "update-controller-config": [changing("updateConfig", _machine(settings={"hl": True}))],
}
