"""What the rest of Vendgraph knows of a vendor: an account, and a connector.

A connector plays roles, of `reading`, `reporting` and `acting`, or does not: `isinstance(connector, ReadsSlots)`
decides, and nothing raises "not implemented"."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal, Protocol, runtime_checkable

from connectors.drift import Drifts
from connectors.guard import Guard, Limits, Rate
from connectors.reaching import Reach
from connectors.shared import Shared
from connectors.unchanged import Unchanged
from domain.capabilities import Capability, UnavailableReason
from domain.model import Vendor
from domain.refs import Kind, Ref


class Secret:
    """A credential. It prints as stars wherever it is printed; `reveal()` is for the wire only."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "***"


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownMachine:
    """A machine that only the configuration can tell of."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookCredentials:
    """Each of `keys` is good: while they are rotated there are two, the newer one first. What a key is depends on the
    vendor.

    `tolerance`: seconds by which a signed time may be off, either way. Where the vendor's documents leave open what
    is signed and how: `recipe` is a text with `{t}` and `{body}`, and by `encoding` the key is the whole text, or what
    is written in base64 after the vendor's prefix."""

    keys: Sequence[Secret]
    tolerance: float = 300.0
    recipe: str | None = None
    encoding: Literal["text", "base64"] = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One set of credentials at one vendor. `base_url` has no trailing slash.

    `currency` serves where the vendor tells none; `endpoints` overrides operations: name -> "METHOD /path".
    `online_minutes` is how old a machine's last sign of life may be, None for the vendor's usual.
    `webhook` is None where no webhooks are set up, `shared` for a gateway that is alone. `prices`, by a product's
    native id or its name, in `currency`, serve where the vendor knows none. `command_seconds`: how long a command may
    be without a final word before it is UNKNOWN. `members`: names of members that the vendor's documents have lost, by
    what they hold. `webhooks_url`: where the vendor reaches the account's webhooks, None where it cannot; `reach`:
    where that may lead. `drifts`: how the vendor's answers differ from what they are taken to be; `unchanged`: those
    that came before."""

    key: str
    organization: str
    vendor: Vendor
    name: str
    base_url: str | None
    currency: str | None
    timezone: str | None
    credentials: Mapping[str, Secret]
    limits: Limits = field(default_factory=Limits)
    endpoints: Mapping[str, str] = field(default_factory=dict)
    machines: Sequence[KnownMachine] = ()
    online_minutes: int | None = None
    webhook: WebhookCredentials | None = None
    shared: Shared | None = None
    prices: Mapping[str, Decimal] = field(default_factory=dict)
    command_seconds: float = 120.0
    members: Mapping[str, str] = field(default_factory=dict)
    webhooks_url: str | None = None
    reach: Reach = Reach.ANYWHERE
    drifts: Drifts = field(default_factory=Drifts, compare=False, repr=False)
    unchanged: Unchanged = field(default_factory=Unchanged, compare=False, repr=False)

    @property
    def ref(self) -> Ref:
        return Ref(Kind.ACCOUNT, self.key, "")

    def guarded(self, rates: Sequence[Rate] = ()) -> Guard:
        """A guard for its requests; `rates` are those that the vendor documents."""
        return Guard(account=self.key, vendor=self.vendor.value, limits=self.limits, rates=rates, shared=self.shared)

    def compare(self, operation: str, answer: Any) -> bool:
        """Counts how an answer, or a delivery, differs from what such a one is taken to be; False where it does. Never
        raises."""
        return self.drifts.look(self.key, self.vendor.value, operation, answer)

    def to(self, kind: Kind, native: object) -> Ref:
        """A reference to something of this account; the vendor's id may come as a number or as text."""
        return Ref(kind, self.key, str(native))


class Connector(Protocol):
    account: Account
    guard: Guard
    capabilities: frozenset[Capability]

    async def sign_in(self) -> None:
        """Proves the credentials with the cheapest call that the vendor has."""
        ...

    def refusal(self, capability: Capability) -> UnavailableReason | None:
        """Why this account may not do what its vendor could, where that is known without asking."""
        ...

    async def aclose(self) -> None: ...


@runtime_checkable
class WarmsUp(Protocol):
    """Its webhooks are told in words that have to be asked for: better before the first one comes."""

    async def warm_up(self) -> None:
        """Asks for what is lacking or old. It is called again and again, and costs nothing where all is there."""
        ...
