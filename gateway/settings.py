"""The configuration file: TOML, checked in full before anything starts. Every fault names file, key and reason."""

import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)

from connectors.base import Account, KnownMachine, Secret, WebhookCredentials
from connectors.guard import Limits
from connectors.registry import CHECK_WEBHOOK
from domain.model import Role, Vendor
from resolvers.sources import CacheTimes

VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
Key = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]+$", max_length=64)]
Hex = Annotated[str, StringConstraints(pattern=r"^([0-9a-fA-F]{2})+$")]
Secrets = Annotated[
    list[Annotated[SecretStr, Field(min_length=1)]],
    BeforeValidator(lambda given: [given] if isinstance(given, str) else given),
    Field(min_length=1, max_length=2),
]
Seconds = Annotated[float, Field(ge=0, le=86_400)]

# What each vendor's credentials are: one set of the alternatives has to be there in full.
CREDENTIALS: Mapping[Vendor, tuple[frozenset[str], ...]] = {
    Vendor.SMARTVEND: (frozenset({"organization_key"}),),
    Vendor.LIVELLO: (frozenset({"client_id", "client_secret"}),),
    Vendor.VENDNOVATION: (frozenset({"api_key", "username", "password"}),),
    Vendor.SMARTEPI: (frozenset({"api_key"}),),
    Vendor.EATMACHINE: (frozenset({"api_key"}), frozenset({"username", "password"})),
}
OPTIONAL_CREDENTIALS: Mapping[Vendor, frozenset[str]] = {Vendor.SMARTVEND: frozenset({"user_id"})}
WEBHOOK_KEYS: Mapping[Vendor, str] = {
    Vendor.SMARTVEND: "public_key",
    Vendor.SMARTEPI: "secret",
    Vendor.EATMACHINE: "url_secret",
}
OPTIONAL_WEBHOOK_KEYS: Mapping[Vendor, frozenset[str]] = {
    Vendor.SMARTEPI: frozenset({"secret_encoding", "recipe", "tolerance_seconds"})
}


class SettingsError(Exception):
    """One fault a line, each with the file, the key and the reason."""


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Server(Section):
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65_535)
    public_url: str | None = None
    environment: Literal["production", "development"] = "production"


class Store(Section):
    url: str = "sqlite:///vendgraph.db"

    @field_validator("url")
    @classmethod
    def _known(cls, url: str) -> str:
        return _starting(url, "sqlite://", "postgresql://")


class Bus(Section):
    url: str = "memory://"

    @field_validator("url")
    @classmethod
    def _known(cls, url: str) -> str:
        return _starting(url, "memory://", "redis://", "rediss://")


class OrganizationSettings(Section):
    key: Key
    name: str = Field(min_length=1)


class KeySettings(Section):
    name: str = Field(min_length=1)
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-fA-F]{64}$", to_lower=True)]
    role: Role
    organizations: list[str] = Field(min_length=1)


class Auth(Section):
    keys: list[KeySettings] = []


class LimitSettings(Section):
    requests: int | None = Field(default=None, ge=1)
    per_seconds: float | None = Field(default=None, gt=0)
    concurrency: int | None = Field(default=None, ge=1, le=1000)
    timeout_seconds: float = Field(default=5.0, gt=0, le=60)

    @model_validator(mode="after")
    def _both(self) -> Self:
        if (self.requests is None) != (self.per_seconds is None):
            raise ValueError("requests and per_seconds belong together: give both, or neither")
        return self


class CacheSettings(Section):
    machines: Seconds = 60.0
    slots: Seconds = 30.0
    products: Seconds = 300.0
    state: Seconds = 30.0
    sales: Seconds = 10.0


class FeedSettings(Section):
    every_seconds: float = Field(default=60.0, ge=1, le=86_400)


class MachineSettings(Section):
    id: str = Field(min_length=1)
    name: str = Field(min_length=1)


class WebhookSettings(Section):
    """Two keys are good while they are rotated: the newer one first. See `WebhookCredentials`."""

    public_key: Secrets | None = None
    secret: Secrets | None = None
    url_secret: Secrets | None = None
    secret_encoding: Literal["text", "base64"] = "text"  # noqa: S105  how a secret is written
    recipe: str | None = None
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
    key: Key
    organization: str
    vendor: Vendor
    name: str | None = None
    base_url: str | None = Field(default=None, pattern=r"^https?://[^\s/?#]+[^\s?#]*$")
    currency: str | None = Field(default=None, pattern=r"^[A-Z]{3}$")
    timezone: str | None = None
    online_minutes: int | None = Field(default=None, ge=1)
    credentials: dict[str, SecretStr]
    webhook: WebhookSettings = WebhookSettings()
    limits: LimitSettings = LimitSettings()
    cache: CacheSettings = CacheSettings()
    feed: FeedSettings = FeedSettings()
    endpoints: dict[str, str] = {}
    machines: list[MachineSettings] = []
    prices: dict[str, Annotated[Decimal, Field(ge=0)]] = {}

    @field_validator("timezone")
    @classmethod
    def _timezone(cls, name: str | None) -> str | None:
        try:
            return name if name is None else ZoneInfo(name).key
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError("an IANA time zone is expected, such as Europe/Lisbon") from None

    @field_validator("endpoints")
    @classmethod
    def _endpoints(cls, endpoints: dict[str, str]) -> dict[str, str]:
        for name, text in endpoints.items():
            if not re.fullmatch(r"(GET|POST|PUT|PATCH|DELETE) /\S*", text):
                raise ValueError(f'{name}: "METHOD /path" is expected, such as "POST /other-path"')
        return endpoints

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        given = self.credentials.keys()
        alternatives = CREDENTIALS[self.vendor]
        optional = OPTIONAL_CREDENTIALS.get(self.vendor, frozenset())
        if not any(given - optional == wanted for wanted in alternatives):
            raise ValueError(f"credentials: {self.vendor.value} takes {_either(alternatives)}")
        if self.webhook.model_fields_set:
            self._check_webhook(self.webhook.model_fields_set)
        if self.machines and self.vendor is not Vendor.EATMACHINE:
            raise ValueError("machines: only eatmachine's are told by the configuration")
        if self.prices and self.vendor is not Vendor.EATMACHINE:
            raise ValueError("prices: only eatmachine's are told by the configuration")
        if self.prices and self.currency is None:
            raise ValueError("prices: they are in the account's currency, and it has none")
        if self.base_url is None and self.vendor is Vendor.SMARTEPI:
            raise ValueError("base_url: smartepi has none of its own: copy it from its console")
        return self

    def _check_webhook(self, given: set[str]) -> None:
        key = WEBHOOK_KEYS.get(self.vendor)
        if key is None:
            raise ValueError(f"webhook: {self.vendor.value} sends none")
        if key not in given:
            raise ValueError(f"webhook: {self.vendor.value} needs a {key}")
        if unknown := given - {key} - OPTIONAL_WEBHOOK_KEYS.get(self.vendor, frozenset()):
            raise ValueError(f"webhook: {self.vendor.value} has no {_listed(unknown)}")
        if self.vendor in CHECK_WEBHOOK:
            CHECK_WEBHOOK[self.vendor](self.account())

    def account(self) -> Account:
        return Account(
            key=self.key,
            organization=self.organization,
            vendor=self.vendor,
            name=self.name or self.key,
            base_url=self.base_url and self.base_url.rstrip("/"),
            currency=self.currency,
            timezone=self.timezone,
            credentials={name: Secret(value.get_secret_value()) for name, value in self.credentials.items()},
            limits=Limits(**self.limits.model_dump()),
            endpoints=self.endpoints,
            machines=tuple(KnownMachine(id=machine.id, name=machine.name) for machine in self.machines),
            online_minutes=self.online_minutes,
            webhook=self.webhook.credentials(),
            prices=self.prices,
        )

    def cache_times(self) -> CacheTimes:
        return CacheTimes(**self.cache.model_dump())


class Settings(Section):
    server: Server = Server()
    store: Store = Store()
    bus: Bus = Bus()
    organizations: list[OrganizationSettings] = Field(min_length=1)
    auth: Auth = Auth()
    accounts: list[AccountSettings] = []

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        known = [organization.key for organization in self.organizations]
        _unique("organizations", "key", known)
        _unique("accounts", "key", [account.key for account in self.accounts])
        for at, account in enumerate(self.accounts):
            if account.organization not in known:
                raise ValueError(f"accounts.{at}.organization: there is no organization {account.organization!r}")
        for at, key in enumerate(self.auth.keys):
            if unknown := set(key.organizations) - {*known, "*"}:
                raise ValueError(f"auth.keys.{at}.organizations: there is no organization {_listed(unknown)}")
        return self


def load(path: Path, environment: Mapping[str, str] = os.environ) -> Settings:
    """Raises SettingsError, with every fault that was found."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: is not TOML: {error}") from None
    faults: list[str] = []
    filled = _filled(raw, environment, "", faults)
    if faults:
        raise SettingsError("\n".join(f"{path}: {fault}" for fault in faults))
    try:
        return Settings.model_validate(filled)
    except ValidationError as error:
        raise SettingsError("\n".join(f"{path}: {fault}" for fault in _faults(error))) from None


def _filled(value: Any, environment: Mapping[str, str], at: str, faults: list[str]) -> Any:
    if isinstance(value, dict):
        return {key: _filled(item, environment, f"{at}.{key}".lstrip("."), faults) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, environment, f"{at}.{index}", faults) for index, item in enumerate(value)]
    if not isinstance(value, str):
        return value
    faults.extend(
        f"{at}: the environment has no variable {name}" for name in VARIABLE.findall(value) if name not in environment
    )
    return VARIABLE.sub(lambda found: environment.get(found[1], ""), value)


def _faults(error: ValidationError) -> Iterable[str]:
    """One line a fault; never the value, which may be a secret."""
    for fault in error.errors(include_input=False, include_url=False):
        where = ".".join(map(str, fault["loc"]))
        reason = fault["msg"].removeprefix("Value error, ")
        if fault["type"] == "extra_forbidden":
            reason = "there is no such key"
        yield f"{where}: {reason}" if where else reason


def _starting(url: str, *schemes: str) -> str:
    if not url.startswith(schemes):
        raise ValueError(f"it must start with {' or '.join(schemes)}")
    return url


def _unique(section: str, key: str, values: list[str]) -> None:
    for at, value in enumerate(values):
        if value in values[:at]:
            raise ValueError(f"{section}.{at}.{key}: {value!r} is there twice")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))


def _either(alternatives: Iterable[frozenset[str]]) -> str:
    return ", or ".join(_listed(names) for names in alternatives)
