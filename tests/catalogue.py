"""Changes of catalogues, organizations, machines and promo codes as clients ask for them."""

import time
from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

from domain.refs import Kind, Ref
from tests.running import ADMIN, Gateway

COMMAND = """id kind status result error errorCode subject { id __typename ... on Product { name }
  ... on Organization { name } ... on Machine { name } } fleet { id name } site { id name } promoCodes machine { id }"""
PAYLOAD = f"command {{ {COMMAND} }} errors {{ code message field reason }} planned {{ method path body }} initKey"
INPUTS: Mapping[str, str] = {
    "createProduct": "CreateProductInput",
    "updateProduct": "UpdateProductInput",
    "deleteProduct": "DeleteProductInput",
    "createOrganization": "CreateOrganizationInput",
    "updateOrganization": "UpdateOrganizationInput",
    "createFleet": "CreateFleetInput",
    "createMachine": "CreateMachineInput",
    "createPromoCodes": "CreatePromoCodesInput",
    "setPromoEligibility": "SetPromoEligibilityInput",
    "resolveEvent": "ResolveEventInput",
    "createSite": "CreateSiteInput",
    "provisionMachine": "ProvisionMachineInput",
    "updateMachine": "UpdateMachineInput",
    "createServiceSession": "CreateServiceSessionInput",
}
WAIT_SECONDS = 20.0
UNDER_WAY = ("PENDING", "SENT", "ACKNOWLEDGED")
Found = dict[str, Any]


def give(gateway: Gateway, mutation: str, *, by: str = ADMIN, dry: bool = False, **given: Any) -> Found:
    """The payload. A key is chosen where none is given."""
    query = f"""mutation ($input: {INPUTS[mutation]}!, $dry: Boolean) {{
      {mutation}(input: $input, dryRun: $dry) {{ {PAYLOAD} }} }}"""
    variables = {"input": {"idempotencyKey": uuid4().hex} | given, "dry": dry}
    payload: Found = gateway.ask(query, variables, key=by)[mutation]
    assert (payload["command"] is None) == bool(payload["errors"]), payload
    return payload


def done(gateway: Gateway, mutation: str, **given: Any) -> Found:
    """The command, which was carried out."""
    command = ended(gateway, mutation, **given)
    assert command["status"] == "SUCCEEDED", command
    return command


def ended(gateway: Gateway, mutation: str, **given: Any) -> Found:
    payload = give(gateway, mutation, **given)
    assert payload["errors"] == [], payload
    return when_ended(gateway, payload["command"])


def when_ended(gateway: Gateway, command: Found, *, by: str = ADMIN) -> Found:
    if command["status"] not in UNDER_WAY:
        return command
    return when(lambda: now_is(gateway, command["id"], by=by), lambda found: found["status"] not in UNDER_WAY)


def when(ask: Callable[[], Found], good: Callable[[Found], bool]) -> Found:
    """What is told once it is so."""
    ends = time.monotonic() + WAIT_SECONDS
    while not good(found := ask()):
        assert time.monotonic() < ends, found
        time.sleep(0.02)
    return found


def now_is(gateway: Gateway, id_: str, *, by: str = ADMIN) -> Found:
    query = f"query ($id: ID!) {{ command(id: $id) {{ {COMMAND} }} }}"
    found: Found = gateway.ask(query, {"id": id_}, key=by)["command"]
    return found


def refusal(gateway: Gateway, mutation: str, **given: Any) -> Found:
    """The one error for which it was not taken on."""
    (error,) = give(gateway, mutation, **given)["errors"]
    found: Found = error
    return found


def account(key: str) -> str:
    return Ref(Kind.ACCOUNT, key, "").text


def organization(native: object, key: str = "acme-kiosks") -> str:
    return Ref(Kind.ORGANIZATION, key, str(native)).text


def product(native: object, key: str = "acme-kiosks") -> str:
    return Ref(Kind.PRODUCT, key, str(native)).text


KIOSKS, SAFETY, FRIDGES = account("acme-kiosks"), account("acme-safety"), account("acme-fridges")
