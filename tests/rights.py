"""Who may see what; two tenants to hold it against, and callers of every role in one of them or in both."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from domain.refs import Ref
from resolvers.privacy import impersonal
from tests.commanding import SELDOM_FED
from tests.issuing import AUDIENCE, ISSUER, issuing, token
from tests.running import ADMIN, OPERATOR, STRANGER, VIEWER, Gateway, Sandbox, running_gateway, running_sandbox

PRIVATE = {
    *(("PersonRecord", name) for name in ("name", "firstName", "lastName", "email", "identification", "mobile")),
    *(("PersonRecord", name) for name in ("note", "avatarUrl", "language", "address", "membercards", "vendorData")),
    *(("Sale", name) for name in ("person", "personRecord", "vendorData", "metadata")),
    *(("StockMovement", name) for name in ("person", "vendorData")),
    *(("MachineSession", name) for name in ("reference", "vendorData")),
    *(("MachineEvent", name) for name in ("badge", "videoUrl", "vendorData")),
    ("Payment", "reference"),
    ("CashCollection", "vendorData"),
}
UNSAID = {("MachineOwner", "contact"), ("Command", "promoCodes")}  # as private, of types that have no `unavailable`
RECORDS = frozenset({"vendorData", "result"})  # the vendor's words, which may name somebody
REFUSED = frozenset({"serviceSessions"})  # FORBIDDEN for viewers, for it is of nobody but people
RESULTS: Mapping[str, Callable[[Any], Any]] = {
    "CREATE_PERSON": lambda _: None,
    "CREATE_PROMO_CODES": lambda told: {name: one for name, one in told.items() if name != "codes"},
}
VARYING = {  # with the moment, and cursors with the tenants of who asks
    *(("VendorAccount", name) for name in ("status", "lastSuccessAt", "lastError", "rateLimit", "webhook", "drift")),
    ("SourceStatus", "asOf"),
    *(("PageInfo", name) for name in ("startCursor", "endCursor")),
    *((f"{name}Message", "cursor") for name in ("Sale", "MachineEvent", "Command", "Machine")),
}
WORDS = ("name", "email", "identification", "mobile")
ROLES: Mapping[str, str] = {"VIEWER": VIEWER, "OPERATOR": OPERATOR, "ADMIN": ADMIN}
KEYS = {"acme": ADMIN, "other": STRANGER}  # of each tenant's admin
TENANTS = {"acme": ["acme"], "other": ["other"], "both": ["acme", "other"]}
LONG_KEPT = "\n".join(f"{name} = 3600" for name in ("machines", "slots", "products", "state", "sales"))
GENEROUS = """
[limits]
max_characters = 262144
max_tokens = 20000
max_fields = 10000
max_cost = 10000000
cost_burst = 100000000
"""


@contextmanager
def two_tenants(sandbox: Sandbox, folder: Path) -> Iterator[tuple[Gateway, Sandbox]]:
    """A gateway that takes `bearer`s, and the sandbox of `other`."""
    with issuing() as issuer, running_sandbox(scale=0.05, days=5, seed=11) as other:
        trusts = f'[auth.jwt]\nissuer = "{ISSUER}"\naudience = "{AUDIENCE}"\njwks_url = "{issuer.jwks_url}"\n'
        with running_gateway(
            sandbox, folder, others=[other], cache=LONG_KEPT, feed=SELDOM_FED, more=GENEROUS + trusts
        ) as gateway:
            yield gateway, other


def bearer(role: str, tenant: str) -> str:
    return token(role=role.lower(), organizations=TENANTS[tenant], sub=f"{role}-{tenant}")


def personal(gateway: Gateway, key: str) -> set[str]:
    """Words that tell who somebody is."""
    people = gateway.ask(f"{{ people(first: 1000) {{ nodes {{ {' '.join(WORDS)} }} }} }}", key=key)["people"]["nodes"]
    return {one[name] for one in people for name in WORDS if one[name]}


def texts(answer: Any) -> Iterator[str]:
    """All that it holds of them, in vendors' records too."""
    if isinstance(answer, str):
        yield answer
    elif isinstance(answer, dict | list):
        for one in answer.values() if isinstance(answer, dict) else answer:
            yield from texts(one)


def never_was(id_: str) -> str:
    """An id of the same form, of an account or tenant that is in no configuration."""
    ref = Ref.parse(id_)
    assert ref is not None
    return (Ref(ref.kind, "nobodys-account", ref.native) if ref.account else Ref(ref.kind, "", "nobody")).text


def where(id_: str) -> str:
    """The account of a thing, or the tenant that it is."""
    ref = Ref.parse(id_)
    assert ref is not None
    return ref.account or ref.native


def narrowed(whole: Any) -> Any:
    """What viewers are told where an admin is told this."""
    if isinstance(whole, list):
        return [narrowed(one) for one in whole]
    return {name: _narrowed(whole, name) for name in whole} if is_object(whole) else whole


def _narrowed(whole: Mapping[str, Any], name: str) -> Any:
    kind, value = whole["__typename"], whole[name]
    if (kind, name) in PRIVATE | UNSAID or name in REFUSED:
        return None
    if (kind, name) == ("Command", "result") and whole["kind"] in RESULTS:
        return value and RESULTS[whole["kind"]](value)
    return narrowed(value) if name not in RECORDS else impersonal(value)


def as_the_role_may(role: str, whole: Any, seen: Any) -> None:
    """Fails where somebody of a role was told anything else of what an admin was told `whole`."""
    if role == "VIEWER":
        assert settled(seen) == settled(narrowed(whole))
        assert set(unsaid(whole, seen)) == set()
    else:
        assert settled(seen) == settled(whole)


def unsaid(whole: Any, seen: Any) -> Iterator[tuple[str, str]]:
    """Type and field of what was kept back from a viewer, an admin's answer tells, where `unavailable` is silent."""
    if isinstance(whole, list) and isinstance(seen, list):
        for one, other in zip(whole, seen, strict=True):
            yield from unsaid(one, other)
    if is_object(whole) and is_object(seen):
        said = {one["field"] for one in seen.get("unavailable", ()) if one["reason"] == "NOT_PERMITTED"}
        private = {name for kind, name in PRIVATE if kind == whole["__typename"]} if "unavailable" in whole else set()
        yield from ((whole["__typename"], name) for name in private - said if whole.get(name) is not None)
        for name in compared(whole) & seen.keys():
            yield from unsaid(whole[name], seen[name])


def settled(answer: Any) -> Any:
    """Less what differs without a right to it, and less the reasons, for which there is `unsaid`."""
    if isinstance(answer, list):
        return [settled(one) for one in answer]
    return {name: settled(answer[name]) for name in compared(answer)} if is_object(answer) else answer


def compared(answer: Mapping[str, Any]) -> set[str]:
    return {name for name in answer if name != "unavailable" and (answer["__typename"], name) not in VARYING}


def is_object(value: Any) -> bool:
    return isinstance(value, dict) and "__typename" in value
