"""Commands as clients give them to a gateway over a sandbox, and what of them reaches the vendors."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import uuid4

from domain.capabilities import Capability
from domain.refs import Kind, Ref
from tests.running import ADMIN, PATIENT, Gateway, Sandbox
from tests.telling import smartvend, smartvend_sale

COMMAND = """id kind status stage requestedBy idempotencyKey createdAt updatedAt completedAt result error
  machine { id } evidence { id vendorId } history { status stage at note }"""
PAYLOAD = f"""command {{ {COMMAND} }} errors {{ code message field reason }} planned {{ method path body }}"""
INPUTS: Mapping[str, str] = {
    "dispenseProduct": "DispenseProductInput",
    "sendDeposit": "SendDepositInput",
    "sendRemotePayment": "SendRemotePaymentInput",
    "setPrice": "SetPriceInput",
    "updatePlanogram": "UpdatePlanogramInput",
    "updateConfig": "UpdateConfigInput",
    "resolveCommand": "ResolveCommandInput",
    "createPerson": "CreatePersonInput",
    "updatePerson": "UpdatePersonInput",
}
ACTS: Mapping[str, Capability] = {
    "dispenseProduct": Capability.DISPENSE_PRODUCT,
    "sendDeposit": Capability.SEND_DEPOSIT,
    "sendRemotePayment": Capability.SEND_REMOTE_PAYMENT,
    "openDoor": Capability.OPEN_DOOR,
    "scanInventory": Capability.SCAN_INVENTORY,
    "measureTemperature": Capability.MEASURE_TEMPERATURE,
    "readDoor": Capability.READ_DOOR,
    "reboot": Capability.REBOOT,
    "restartApp": Capability.RESTART_APP,
    "collectCash": Capability.COLLECT_CASH,
    "setPrice": Capability.SET_PRICE,
    "updatePlanogram": Capability.UPDATE_PLANOGRAM,
    "updateConfig": Capability.UPDATE_CONFIG,
}
FLEET = """{ machines(first: 200) { nodes { id vendor vendorId connectivity account { key }
  capabilities { capability available reason } slots { id position price { amount } product { id } } } } }"""
BY_ITSELF = ("get-list-of-sales", "get-list-of-events", "get-dictionary-of-events")  # what a gateway reads now and then
LEFT_ALONE = PATIENT + "settle_seconds = 3600\n"  # such a gateway takes no sale for proof
SELDOM_FED = "every_seconds = 86400"  # as `feed` of `config_text`
WAIT_SECONDS = 20.0
NOTHING_KEPT = "machines = 0\nslots = 0\nproducts = 0\nstate = 0\nsales = 0"  # as `cache` of `config_text`
Payload = dict[str, Any]
Found = dict[str, Any]


def give(
    gateway: Gateway,
    mutation: str,
    *,
    by: str = ADMIN,
    again: str | None = None,
    dry: bool | None = None,
    headers: Mapping[str, str] | None = None,
    **given: Any,
) -> Payload:
    """The payload. `again`: the UNKNOWN command that is acknowledged. A key is chosen where none is given."""
    answer = post(gateway, mutation, by=by, again=again, dry=dry, headers=headers, **given)
    assert "errors" not in answer, answer["errors"]
    payload: Payload = answer["data"][mutation]
    assert (payload["command"] is None) == bool(payload["errors"]), payload
    return payload


def post(
    gateway: Gateway,
    mutation: str,
    *,
    by: str = ADMIN,
    again: str | None = None,
    dry: bool | None = None,
    headers: Mapping[str, str] | None = None,
    **given: Any,
) -> Found:
    """The whole answer."""
    kind = INPUTS.get(mutation, "MachineCommandInput")
    variables: Found = {"input": given if mutation == "resolveCommand" else {"idempotencyKey": new_key()} | given}
    declared, passed = f"$input: {kind}!", "input: $input"
    if mutation != "resolveCommand":
        declared += ", $again: ID, $dry: Boolean"
        passed += ", acknowledgeUnknown: $again, dryRun: $dry"
        variables |= {"again": again, "dry": dry}
    query = f"mutation ({declared}) {{ {mutation}({passed}) {{ {PAYLOAD} }} }}"
    found: Found = gateway.post(query, variables, key=by, **(headers or {})).json()
    return found


def command(gateway: Gateway, mutation: str, **given: Any) -> Found:
    """The command that was taken on."""
    payload = give(gateway, mutation, **given)
    assert payload["errors"] == [], payload
    found: Found = payload["command"]
    return found


def refusal(gateway: Gateway, mutation: str, **given: Any) -> Found:
    """The one error for which it was not taken on."""
    (error,) = give(gateway, mutation, **given)["errors"]
    found: Found = error
    return found


def refusals(gateway: Gateway, given: Mapping[str, Found]) -> dict[str, Found]:
    """What each mutation is refused for, asked in one document."""
    inputs = {name: {"idempotencyKey": new_key()} | one for name, one in given.items()}
    declared = ", ".join(f"${name}: {INPUTS.get(name, 'MachineCommandInput')}!" for name in given)
    fields = " ".join(f"{name}(input: ${name}) {{ command {{ id }} errors {{ code reason }} }}" for name in given)
    answer = gateway.ask(f"mutation ({declared}) {{ {fields} }}", inputs)
    assert [payload["command"] for payload in answer.values()] == [None] * len(given), answer
    return {name: payload["errors"][0] for name, payload in answer.items()}


def new_key() -> str:
    return uuid4().hex


def now_is(gateway: Gateway, id_: str, *, by: str = ADMIN) -> Found:
    found: Found = gateway.ask(f"query ($id: ID!) {{ command(id: $id) {{ {COMMAND} }} }}", {"id": id_}, key=by)[
        "command"
    ]
    return found


def becomes(gateway: Gateway, id_: str, *statuses: str, by: str = ADMIN) -> Found:
    """The command once it has one of these."""
    found: Found = when(lambda: now_is(gateway, id_, by=by), lambda one: one["status"] in statuses)
    return found


def when(look: Callable[[], Any], so: Callable[[Any], bool]) -> Any:
    """What is seen as soon as it is so."""
    ends = time.monotonic() + WAIT_SECONDS
    while not so(found := look()):
        assert time.monotonic() < ends, found
        time.sleep(0.02)
    return found


def fleet(gateway: Gateway, *, by: str = ADMIN) -> list[Found]:
    found: list[Found] = gateway.ask(FLEET, key=by)["machines"]["nodes"]
    return found


def of_vendor(machines: list[Found], vendor: str, connectivity: str | None = None) -> list[Found]:
    return [one for one in machines if one["vendor"] == vendor and connectivity in (None, one["connectivity"])]


def sent(sandbox: Sandbox, vendor: str = "smartvend") -> list[Found]:
    """What changed something at the vendor, as it was sent."""
    emulated = sandbox.vendors[vendor]
    return list(emulated.commands if vendor == "smartvend" else emulated.fleet.commands)


@dataclass(slots=True)
class Reached:
    """What of commands reached a vendor while somebody looked."""

    bodies: list[Found]
    requests: list[str]


@contextmanager
def reaching(sandbox: Sandbox, vendor: str = "smartvend") -> Iterator[Reached]:
    """Complete when it is left."""
    before = len(sent(sandbox, vendor))
    sandbox.forget_requests()
    found = Reached([], [])
    yield found
    found.bodies += sent(sandbox, vendor)[before:]
    found.requests += requests(sandbox, vendor)


def requests(sandbox: Sandbox, vendor: str | None = None) -> list[str]:
    """What was asked so far, but for what a gateway reads by itself."""
    return [one for one in sandbox.requests(vendor) if not one.endswith(BY_ITSELF)]


def tell_sale(gateway: Gateway, machine: Found, account: str = "acme-coffee", **changed: Any) -> Found:
    """A sale of a machine, by signed webhook."""
    sale = smartvend_sale(**{"controllerId": machine["vendorId"], **changed})
    answer = smartvend(gateway.base, sale, account)
    assert answer.status_code == 200, answer.text
    return sale


def paid(member: str, amount: str) -> Found:
    """What a sale tells of a payment: `member` is remoteDeposit or remotePayment."""
    cents = str(int(Decimal(amount) * 100))
    return {"insertedMoney": cents, "coin": "0", member: cents, "paymentTypes": None, "totalPrice": cents}


def valid(mutation: str, machine: Found) -> Found:
    """What the mutation takes, for this machine, without a key."""
    if mutation == "setPrice":
        slot = Ref(Kind.SLOT, machine["account"]["key"], f"{machine['vendorId']}/1").text
        return {"slotId": machine["slots"][0]["id"] if machine["slots"] else slot, "amount": "1.25"}
    more: Mapping[str, Found] = {
        "dispenseProduct": {"position": "1"},
        "sendDeposit": {"amount": "1.25"},
        "sendRemotePayment": {"amount": "1.25"},
        "updatePlanogram": {"rows": 2, "columns": 3, "slots": [{"row": 0, "column": 0, "price": "1.25"}]},
        "updateConfig": {"settings": {"hl": True}},
    }
    return {"machineId": machine["id"], **more.get(mutation, {})}


OPERATIONS: Mapping[str, str] = {
    "dispenseProduct": "issue-product",
    "sendDeposit": "send-deposit",
    "sendRemotePayment": "send-remote-payment",
    "collectCash": "create-encashment",
    "setPrice": "update-controller-matrix",
    "updatePlanogram": "update-controller-matrix",
    "updateConfig": "update-controller-config",
}


def lost(gateway: Gateway, sandbox: Sandbox, mutation: str, *, carried_out: bool = True, **given: Any) -> Found:
    """A command of SmartVend's whose answer is lost: whether it was carried out, nobody here can know.

    Something else is answered before it: after five failures in a row the vendor would be left alone."""
    if "machineId" in given:
        give(
            gateway,
            "updateConfig",
            dry=True,
            machineId=given["machineId"],
            settings={"sm": 1},
            by=given.get("by", ADMIN),
        )
    how = "truncate" if carried_out else "reset"
    sandbox.break_("smartvend", how, operation=OPERATIONS[mutation], times=1)
    found = command(gateway, mutation, **given)
    assert found["status"] == "UNKNOWN", found
    return found
