"""The accounts of the configuration: what each vendor's may and has to hold."""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, ValidationInfo, field_validator, model_validator

from connectors.base import Account, KnownMachine, Secret, WebhookCredentials
from connectors.drift import Drifts
from connectors.guard import Limits
from connectors.operations import overridden
from connectors.registry import CHECK_WEBHOOK, CHECKS, OPERATIONS
from domain.model import Vendor
from gateway.faults import fault
from gateway.fields import Address, Credential, Currency, Key, Seconds, Secrets, Section, Text, listed, unique
from resolvers.sources import CacheTimes

# What each vendor's credentials are: one set of the alternatives has to be there in full.
CREDENTIALS: Mapping[Vendor, tuple[frozenset[str], ...]] = {
    Vendor.SMARTVEND: (frozenset({"organization_key"}),),
    Vendor.LIVELLO: (frozenset({"client_id", "client_secret"}),),
    Vendor.VENDNOVATION: (frozenset({"api_key", "username", "password"}),),
    Vendor.SMARTEPI: (frozenset({"api_key"}),),
    Vendor.EATMACHINE: (frozenset({"api_key"}), frozenset({"username", "password"})),
}
OPTIONAL_CREDENTIALS: Mapping[Vendor, frozenset[str]] = {Vendor.SMARTVEND: frozenset({"user_id"})}
MEMBERS: Mapping[Vendor, frozenset[str]] = {Vendor.LIVELLO: frozenset({"nutrition", "diet"})}  # whose names are lost
IN_HEADERS = frozenset({"organization_key", "user_id", "api_key"})
WEBHOOK_KEYS: Mapping[Vendor, str] = {
    Vendor.SMARTVEND: "public_key",
    Vendor.SMARTEPI: "secret",
    Vendor.EATMACHINE: "url_secret",
}
OPTIONAL_WEBHOOK_KEYS: Mapping[Vendor, frozenset[str]] = {
    Vendor.SMARTEPI: frozenset({"secret_encoding", "recipe", "tolerance_seconds"})
}


class LimitSettings(Section):
    requests: int | None = Field(default=None, ge=1)
    per_seconds: float | None = Field(default=None, gt=0)
    concurrency: int | None = Field(default=None, ge=1, le=1000)
    timeout_seconds: float = Field(default=5.0, gt=0, le=60)

    @model_validator(mode="after")
    def _both(self) -> Self:
        if (self.requests is None) != (self.per_seconds is None):
            raise fault("requests and per_seconds belong together: give both, or neither")
        return self


class CacheSettings(Section):
    machines: Seconds = 60.0
    slots: Seconds = 30.0
    products: Seconds = 300.0
    state: Seconds = 30.0
    sales: Seconds = 10.0


class FeedSettings(Section):
    every_seconds: float = Field(default=60.0, gt=0, le=86_400)


class CommandSettings(Section):
    timeout_seconds: float = Field(default=120.0, gt=0, le=86_400)


class MachineSettings(Section):
    id: Text
    name: Text


class WebhookSettings(Section):
    """Two keys are good while they are rotated: the newer one first. See `WebhookCredentials`."""

    public_key: Secrets | None = None
    secret: Secrets | None = None
    url_secret: Secrets | None = None
    secret_encoding: Literal["text", "base64"] = "text"  # noqa: S105  how a secret is written
    recipe: Text | None = None
    tolerance_seconds: float = Field(default=300.0, gt=0, le=86_400)

    def credentials(self) -> WebhookCredentials | None:
        keys = self.public_key or self.secret or self.url_secret
        if keys is None:
            return None
        return WebhookCredentials(
            keys=tuple(Secret(key.get_secret_value()) for key in keys),
            tolerance=self.tolerance_seconds,
            recipe=self.recipe,
            encoding=self.secret_encoding,
        )


class AccountSettings(Section):
    """The vendor stands above what depends on it, because fields are checked in their order."""

    key: Key
    organization: str
    vendor: Vendor
    name: Text | None = None
    base_url: Address | None = Field(default=None, validate_default=True)
    currency: Currency | None = None
    timezone: str | None = None
    online_minutes: int | None = Field(default=None, ge=1)
    credentials: dict[str, Credential] = Field(default={}, validate_default=True)
    webhook: WebhookSettings = Field(default=WebhookSettings())
    limits: LimitSettings = LimitSettings()
    cache: CacheSettings = CacheSettings()
    feed: FeedSettings = FeedSettings()
    commands: CommandSettings = CommandSettings()
    endpoints: dict[str, str] = Field(default={})
    members: dict[str, Text] = Field(default={})
    machines: list[MachineSettings] = Field(default=[])
    prices: dict[str, Annotated[Decimal, Field(ge=0)]] = Field(default={})

    @field_validator("base_url")
    @classmethod
    def _base_url(cls, url: str | None, info: ValidationInfo) -> str | None:
        if url is None and info.data.get("vendor") is Vendor.SMARTEPI:
            raise fault("smartepi has none of its own: copy it from its console")
        return url

    @field_validator("timezone")
    @classmethod
    def _timezone(cls, name: str | None) -> str | None:
        try:
            return name if name is None else ZoneInfo(name).key
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise fault('an IANA time zone, such as "Europe/Lisbon", is expected') from None

    @field_validator("credentials")
    @classmethod
    def _credentials(cls, given: dict[str, SecretStr], info: ValidationInfo) -> dict[str, SecretStr]:
        vendor = info.data.get("vendor")
        if vendor is None:
            return given
        optional = OPTIONAL_CREDENTIALS.get(vendor, frozenset())
        if not any(given.keys() - optional == wanted for wanted in CREDENTIALS[vendor]):
            more = f", and perhaps {listed(optional)}" if optional else ""
            raise fault(
                f"{vendor.value} takes {_either(CREDENTIALS[vendor])}{more}; there is {listed(given) or 'nothing'}"
            )
        for name in given.keys() & IN_HEADERS:
            if not re.fullmatch(r"[!-~]+", given[name].get_secret_value()):
                raise fault("it goes into a header, which takes no spaces and nothing but ASCII", name)
        return given

    @field_validator("webhook")
    @classmethod
    def _webhook(cls, given: WebhookSettings, info: ValidationInfo) -> WebhookSettings:
        vendor = info.data.get("vendor")
        if vendor is None or not given.model_fields_set:
            return given
        key = WEBHOOK_KEYS.get(vendor)
        if key is None:
            raise fault(f"{vendor.value} sends no webhooks")
        takes = {key, *OPTIONAL_WEBHOOK_KEYS.get(vendor, ())}
        for name in sorted(given.model_fields_set - takes):
            raise fault(f"there is no such key here: {vendor.value} takes {listed(takes)}", name)
        if key not in given.model_fields_set:
            raise fault("is missing", key)
        return given

    @model_validator(mode="after")
    def _readable(self) -> Self:
        """The keys have a form that the vendor's own code knows."""
        check = CHECK_WEBHOOK.get(self.vendor)
        if check is not None and self.webhook.model_fields_set:
            try:
                check(self.account())
            except ValueError as error:
                raise fault(str(error).removeprefix(f"{self.key}: webhook."), "webhook") from None
        return self

    @field_validator("prices")
    @classmethod
    def _prices(cls, prices: dict[str, Decimal], info: ValidationInfo) -> dict[str, Decimal]:
        if prices and info.data.get("vendor", Vendor.EATMACHINE) is not Vendor.EATMACHINE:
            raise fault("only eatmachine's are told by the configuration")
        if prices and "currency" in info.data and info.data["currency"] is None:
            raise fault("they are in the account's currency, and it has none")
        return prices

    @field_validator("endpoints")
    @classmethod
    def _endpoints(cls, endpoints: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        for name, text in endpoints.items() if "vendor" in info.data else ():
            try:
                overridden(OPERATIONS[info.data["vendor"]], {name: text})
            except ValueError as error:
                raise fault(str(error).removeprefix(f"endpoints.{name}: "), name) from None
        return endpoints

    @field_validator("members")
    @classmethod
    def _members(cls, members: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        takes = MEMBERS.get(info.data.get("vendor", Vendor.LIVELLO), frozenset())
        for name in sorted(members.keys() - takes):
            raise fault(f"there is no such name here: this vendor takes {listed(takes) or 'none'}", name)
        return members

    @field_validator("machines")
    @classmethod
    def _machines(cls, machines: list[MachineSettings], info: ValidationInfo) -> list[MachineSettings]:
        if machines and info.data.get("vendor", Vendor.EATMACHINE) is not Vendor.EATMACHINE:
            raise fault("only eatmachine's are told by the configuration")
        unique([machine.id for machine in machines], "id")
        return machines

    def account(self) -> Account:
        return Account(
            key=self.key,
            organization=self.organization,
            vendor=self.vendor,
            name=self.name or self.key,
            base_url=self.base_url,
            currency=self.currency,
            timezone=self.timezone,
            credentials={name: Secret(value.get_secret_value()) for name, value in self.credentials.items()},
            limits=Limits(**self.limits.model_dump()),
            endpoints=self.endpoints,
            machines=tuple(KnownMachine(id=machine.id, name=machine.name) for machine in self.machines),
            online_minutes=self.online_minutes,
            webhook=self.webhook.credentials(),
            prices=self.prices,
            command_seconds=self.commands.timeout_seconds,
            members=self.members,
            drifts=Drifts(CHECKS[self.vendor]),
        )

    def cache_times(self) -> CacheTimes:
        return CacheTimes(**self.cache.model_dump())


def _either(alternatives: Iterable[frozenset[str]]) -> str:
    return ", or else ".join(listed(names) for names in alternatives)
