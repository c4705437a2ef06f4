"""The configuration: everything that is promised is taken, and what is wrong is told by file, key and reason."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from connectors.guard import Limits
from connectors.registry import OPERATIONS
from domain.model import Role, Vendor
from gateway.accounts import CREDENTIALS
from gateway.settings import Settings, SettingsError, load
from journal.keys import digest
from resolvers.sources import CacheTimes

CANARY = "canary-8d21"
ORGANIZATION = '[[organizations]]\nkey = "acme"\nname = "Acme Vending"\n'
KEY = f'[[auth.keys]]\nname = "dashboard"\nsha256 = "{digest("k")}"\nrole = "viewer"\norganizations = ["acme"]\n'
SPKI = "302a300506032b6570032100ea4a6c63e29c520abef5507b132ec5f9954776aebebe7b92421eea691446d22c"
EVERYTHING = f"""
[server]
host = "0.0.0.0"
port = 8001
public_url = "https://graph.example.com/"
environment = "development"

[store]
url = "postgresql://graph:secret@db.example.com/vendgraph"

[bus]
url = "redis://bus.example.com:6379/0"

{ORGANIZATION}
[[auth.keys]]
name = "dashboard"
sha256 = "{digest("k").upper()}"
role = "operator"
organizations = ["*"]

[[accounts]]
key = "acme-coffee"
organization = "acme"
vendor = "smartvend"
name = "Coffee machines"
base_url = "https://api.smartvend.ru/v1/"
currency = "EUR"
timezone = "Europe/Lisbon"
online_minutes = 30
[accounts.credentials]
organization_key = "3059"
user_id = "17"
[accounts.webhook]
public_key = ["{SPKI}", "{SPKI.upper()}"]
[accounts.limits]
requests = 1000
per_seconds = 3600
concurrency = 8
timeout_seconds = 2.5
[accounts.cache]
machines = 1
slots = 2
products = 3
state = 4
sales = 0
[accounts.feed]
every_seconds = 60
[accounts.commands]
timeout_seconds = 600
[accounts.endpoints]
"get-list-of-sales" = "GET /sales/v2"

[[accounts]]
key = "acme-fridges"
organization = "acme"
vendor = "eatmachine"
credentials = {{ username = "u", password = "p" }}
webhook = {{ url_secret = "long and secret" }}
[[accounts.machines]]
id = "5699613c-0e96-470c-ba56-e520343ebc63"
name = "Lobby fridge"
"""


def account(vendor: str = "smartvend", credentials: str = 'organization_key = "3059"', more: str = "") -> str:
    """One account, below an organization. `more`: members of it, or tables."""
    return (
        f'{ORGANIZATION}[[accounts]]\nkey = "acme-coffee"\norganization = "acme"\nvendor = "{vendor}"\n'
        f"credentials = {{ {credentials} }}\n{more}\n"
    )


def loaded(folder: Path, text: str, environment: Mapping[str, str] | None = None) -> Settings:
    path = folder / "vendgraph.toml"
    path.write_text(text, encoding="utf-8")
    return load(path, environment or {})


def refused(folder: Path, text: str, environment: Mapping[str, str] | None = None) -> list[str]:
    """The faults, without the file's name, which every line begins with."""
    with pytest.raises(SettingsError) as error:
        loaded(folder, text, environment)
    lines = str(error.value).splitlines()
    start = f"{folder}/vendgraph.toml: "
    assert all(line.startswith(start) for line in lines)
    return [line.removeprefix(start) for line in lines]


def test_every_key_that_is_promised_is_taken(tmp_path: Path) -> None:
    settings = loaded(tmp_path, EVERYTHING)
    coffee, fridges = settings.accounts
    server = settings.server
    assert (server.host, server.port, server.environment) == ("0.0.0.0", 8001, "development")  # noqa: S104
    assert server.public_url == "https://graph.example.com"
    assert settings.store.url.get_secret_value() == "postgresql://graph:secret@db.example.com/vendgraph"
    assert settings.bus.url.get_secret_value() == "redis://bus.example.com:6379/0"
    assert settings.auth.keys[0].sha256 == digest("k")
    assert settings.auth.keys[0].role is Role.OPERATOR
    assert [key.get_secret_value() for key in coffee.webhook.public_key or ()] == [SPKI, SPKI.upper()]
    assert coffee.feed.every_seconds == 60
    assert coffee.cache_times() == CacheTimes(machines=1, slots=2, products=3, state=4, sales=0)
    assert [key.get_secret_value() for key in fridges.webhook.url_secret or ()] == ["long and secret"]


def test_an_account_reaches_the_connectors_as_it_was_written(tmp_path: Path) -> None:
    coffee, fridges = (one.account() for one in loaded(tmp_path, EVERYTHING).accounts)
    assert (coffee.key, coffee.organization, coffee.vendor) == ("acme-coffee", "acme", Vendor.SMARTVEND)
    assert (coffee.name, coffee.base_url) == ("Coffee machines", "https://api.smartvend.ru/v1")
    assert (coffee.currency, coffee.timezone, coffee.online_minutes) == ("EUR", "Europe/Lisbon", 30)
    assert {name: secret.reveal() for name, secret in coffee.credentials.items()} == {
        "organization_key": "3059",
        "user_id": "17",
    }
    assert coffee.limits == Limits(requests=1000, per_seconds=3600, concurrency=8, timeout_seconds=2.5)
    assert coffee.endpoints == {"get-list-of-sales": "GET /sales/v2"}
    assert (coffee.command_seconds, fridges.command_seconds) == (600, 120)
    assert fridges.name == "acme-fridges"
    assert [(one.id, one.name) for one in fridges.machines] == [
        ("5699613c-0e96-470c-ba56-e520343ebc63", "Lobby fridge")
    ]


def test_what_is_left_out_has_a_default(tmp_path: Path) -> None:
    settings = loaded(tmp_path, account())
    assert (settings.server.host, settings.server.port, settings.server.environment) == (
        "127.0.0.1",
        8000,
        "production",
    )
    assert settings.store.url.get_secret_value() == "sqlite:///vendgraph.db"
    assert settings.bus.url.get_secret_value() == "memory://"
    assert settings.accounts[0].base_url is None
    assert settings.accounts[0].account().limits.timeout_seconds == 5


def test_variables_are_replaced_wherever_a_text_stands(tmp_path: Path) -> None:
    text = EVERYTHING.replace('"3059"', '"${A}-${B}"').replace(SPKI, "30${HEX}")
    text = text.replace('["*"]', '["${ORG}"]').replace("port = 8001", 'port = "${PORT}"')
    text = text.replace('"Lobby fridge"', '"${PLACE} fridge"')
    environment = {"A": "one", "B": "${C}", "HEX": SPKI[2:], "ORG": "acme", "PORT": "81", "PLACE": "Café"}
    settings = loaded(tmp_path, text, environment)
    coffee, fridges = settings.accounts
    assert coffee.credentials["organization_key"].get_secret_value() == "one-${C}"
    assert [one.get_secret_value() for one in coffee.webhook.public_key or ()] == [SPKI, SPKI.upper()]
    assert settings.auth.keys[0].organizations == ["acme"]
    assert settings.server.port == 81
    assert fridges.machines[0].name == "Café fridge"


def test_every_missing_variable_is_told_at_once(tmp_path: Path) -> None:
    text = EVERYTHING.replace('"3059"', '"${A}-${B-2}"').replace('["*"]', '["${}"]')
    assert refused(tmp_path, text, {"A": "bad\nline"}) == [
        "auth.keys.0.organizations.0 (dashboard): the environment has no variable ",
        "accounts.0.credentials.organization_key (acme-coffee): the environment's A holds what is no printable text",
        "accounts.0.credentials.organization_key (acme-coffee): the environment has no variable B-2",
    ]


WRONG: Mapping[str, tuple[str, str]] = {
    "an unknown table": (ORGANIZATION + "[servers]", "servers: there is no such key here: there are accounts, auth"),
    "an unknown key": (
        account(more='curency = "EUR"'),
        "accounts.0.curency (acme-coffee): there is no such key here: ",
    ),
    "an unknown key below": (
        account(more="[accounts.limits]\nfoo = 1"),
        "accounts.0.limits.foo (acme-coffee): there is no such key here: there are concurrency, per_seconds, requests",
    ),
    "no organization": ("", "organizations: is missing"),
    "an empty list of them": ("organizations = []", "organizations: there has to be one at least"),
    "an organization twice": (ORGANIZATION * 2, "organizations.1.key (acme): it is there twice"),
    "an account twice": (account() + account().removeprefix(ORGANIZATION), "accounts.1.key (acme-coffee): it is there"),
    "a key twice": (ORGANIZATION + KEY * 2, "auth.keys.1.sha256 (dashboard): it is there twice"),
    "an account's odd name": (
        account().replace('"acme-coffee"', '"Acme_1"'),
        "accounts.0.key (Acme_1): a name of a to z, 0 to 9 and hyphens",
    ),
    "an account of nobody": (
        account().replace('organization = "acme"', 'organization = "acne"'),
        "accounts.0.organization (acme-coffee): there is no organization acne: there are acme",
    ),
    "a vendor of no name": (
        account("SmartVend"),
        "accounts.0.vendor (acme-coffee): it should be 'smartvend', 'livello'",
    ),
    "a table that is a text": ('server = "x"\n' + ORGANIZATION, "server: a table is expected"),
    "a list that is a text": ('accounts = "x"\n' + ORGANIZATION, "accounts: a list is expected"),
    "a text that is a number": (account("x").replace('"x"', "5"), "accounts.0.vendor (acme-coffee): it should be"),
    "a name that is a number": (
        account(more="name = 5"),
        "accounts.0.name (acme-coffee): a text in quotes is expected",
    ),
    "a blank name": (account(more='name = " "'), "accounts.0.name (acme-coffee): a text that is not empty is expected"),
    "a port too high": (
        ORGANIZATION + "[server]\nport = 70000",
        "server.port: it should be less than or equal to 65535",
    ),
    "an environment of no name": (
        ORGANIZATION + '[server]\nenvironment = "prod"',
        "server.environment: it should be 'pr",
    ),
    "an address of no use": (ORGANIZATION + '[server]\npublic_url = "x"', "server.public_url: an address such as"),
    "a store of another kind": (
        ORGANIZATION + '[store]\nurl = "mysql://x"',
        'store.url: "sqlite:///FILE" or "postgres',
    ),
    "a store in memory": (ORGANIZATION + '[store]\nurl = "sqlite://"', 'store.url: "sqlite:///FILE" or "postgresql'),
    "a store in memory by name": (ORGANIZATION + '[store]\nurl = "sqlite:///:memory:"', "store.url: "),
    "an odd password": (ORGANIZATION + '[store]\nurl = "postgresql://u:a@b@h/d"', "store.url: an @ in the user or p"),
    "a bus of another kind": (ORGANIZATION + '[bus]\nurl = "kafka://x"', 'bus.url: "memory://" or "redis://HOST:PORT"'),
    "a hash of another length": (
        ORGANIZATION + KEY.replace(digest("k"), "ab12"),
        "auth.keys.0.sha256 (dashboard): the SHA-256 of the key's UTF-8 text, in 64 hex digits, is expected",
    ),
    "a role of no name": (ORGANIZATION + KEY.replace("viewer", "root"), "auth.keys.0.role (dashboard): it should be"),
    "a key to nothing": (
        ORGANIZATION + KEY.replace('["acme"]', "[]"),
        "auth.keys.0.organizations (dashboard): there has to be one at least",
    ),
    "a key to nobody": (
        ORGANIZATION + KEY.replace('["acme"]', '["acme", "acne"]'),
        "auth.keys.0.organizations (dashboard): there is no organization acne: there are *, acme",
    ),
    "a currency in small letters": (account(more='currency = "eur"'), "accounts.0.currency (acme-coffee): an ISO 4217"),
    "a currency by its name": (
        account(more='currency = "EURO"'),
        "accounts.0.currency (acme-coffee): an ISO 4217 code",
    ),
    "a time zone of Mars": (account(more='timezone = "Mars/Base"'), "accounts.0.timezone (acme-coffee): an IANA time"),
    "half a time zone": (
        account(more='timezone = "Europe"'),
        "accounts.0.timezone (acme-coffee): an IANA time zone, su",
    ),
    "a time zone of files": (
        account(more='timezone = "../UTC"'),
        "accounts.0.timezone (acme-coffee): an IANA time zon",
    ),
    "another vendor's credentials": (
        account(credentials='api_key = "x"'),
        "accounts.0.credentials (acme-coffee): smartvend takes organization_key, and perhaps user_id; there is api_key",
    ),
    "half the credentials": (
        account("livello", 'client_id = "x"'),
        "accounts.0.credentials (acme-coffee): livello takes client_id, client_secret; there is client_id",
    ),
    "both sets of credentials": (
        account("eatmachine", 'api_key = "x", username = "u", password = "p"'),
        "accounts.0.credentials (acme-coffee): eatmachine takes api_key, or else password, username; there is api",
    ),
    "no credentials": (
        account().replace('credentials = { organization_key = "3059" }', ""),
        "accounts.0.credentials (acme-coffee): smartvend takes organization_key, and perhaps user_id; there is nothing",
    ),
    "an empty credential": (
        account(credentials='organization_key = " "'),
        "accounts.0.credentials.organization_key (acme-coffee): is empty",
    ),
    "a credential that fits into no header": (
        account(credentials='organization_key = "schlüssel"'),
        "accounts.0.credentials.organization_key (acme-coffee): it goes into a header",
    ),
    "a webhook of another vendor": (
        account(more='webhook = { secret = "x" }'),
        "accounts.0.webhook.secret (acme-coffee): there is no such key here: smartvend takes public_key",
    ),
    "a webhook that is not sent": (
        account("livello", 'client_id = "x", client_secret = "y"', 'webhook = { secret = "x" }'),
        "accounts.0.webhook (acme-coffee): livello sends no webhooks",
    ),
    "a key that is no key": (
        account(more='webhook = { public_key = "30zz" }'),
        "accounts.0.webhook (acme-coffee): public_key is no public key: SPKI in hex digits is expected",
    ),
    "three keys": (
        account(more='webhook = { public_key = ["3000", "3001", "3002"] }'),
        "accounts.0.webhook.public_key (acme-coffee): there are too many of them",
    ),
    "a key that is a number": (
        account(more="webhook = { public_key = 3000 }"),
        "accounts.0.webhook.public_key (acme-coffee): a text is expected, or a list of two",
    ),
    "half a limit": (
        account(more="limits = { requests = 5 }"),
        "accounts.0.limits (acme-coffee): requests and per_seconds belong together: give both, or neither",
    ),
    "a limit without an end": (
        account(more="limits = { requests = 5, per_seconds = inf }"),
        "accounts.0.limits.per_seconds (acme-coffee): it should be a finite number",
    ),
    "a negative time": (
        account(more="cache = { sales = -1 }"),
        "accounts.0.cache.sales (acme-coffee): it should be gr",
    ),
    "a feed without a pause": (
        account(more="feed = { every_seconds = 0 }"),
        "accounts.0.feed.every_seconds (acme-coff",
    ),
    "a command without time": (
        account(more="commands = { timeout_seconds = 0 }"),
        "accounts.0.commands.timeout_seconds (acme-coffee): it should be greater than 0",
    ),
    "a command that takes longer than a day": (
        account(more="commands = { timeout_seconds = 86401 }"),
        "accounts.0.commands.timeout_seconds (acme-coffee): it should be less than or equal to 86400",
    ),
    "an operation of no name": (
        account(more='endpoints = { "list-sales" = "POST /x" }'),
        "accounts.0.endpoints.list-sales (acme-coffee): there is no such operation: create-encashment, ",
    ),
    "a name that no document has lost": (
        account(more='members = { "diet" = "dietaryInfo" }'),
        "accounts.0.members.diet (acme-coffee): there is no such name here: this vendor takes none",
    ),
    "an endpoint without a method": (
        account(more='endpoints = { "get-list-of-sales" = "/x" }'),
        'accounts.0.endpoints.get-list-of-sales (acme-coffee): "METHOD /path" is expected',
    ),
    "an endpoint of another shape": (
        account(more='endpoints = { "get-list-of-sales" = "POST /x/{id}" }'),
        "accounts.0.endpoints.get-list-of-sales (acme-coffee): /x/{id} has placeholders that ",
    ),
    "machines of another vendor": (
        account(more='machines = [{ id = "1", name = "One" }]'),
        "accounts.0.machines (acme-coffee): only eatmachine's are told by the configuration",
    ),
    "a machine twice": (
        account("eatmachine", 'api_key = "x"', 'machines = [{ id = "1", name = "One" }, { id = "1", name = "Two" }]'),
        "accounts.0.machines.1.id (acme-coffee): it is there twice, and has to be unique",
    ),
    "smartepi at no address": (
        account("smartepi", 'api_key = "x"'),
        "accounts.0.base_url (acme-coffee): smartepi has none of its own: copy it from its console",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_refused_by_its_key_with_the_reason(tmp_path: Path, what: str) -> None:
    text, told = WRONG[what]
    (fault,) = refused(tmp_path, text)
    assert fault.startswith(told)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://api.example.com",
        "api.example.com/v1",
        "https://",
        "https:///v1",
        f"https://user:{CANARY}@api.example.com/v1",
        "https://api.example.com:99999",
        "https://api.example.com:port",
        "https://api.example.com/v1?key=1",
        "https://api.example.com/v1?",
        "https://api.example.com/v1#top",
        "https://api.example.com/v 1",
    ],
)
def test_an_address_that_cannot_be_asked_is_refused(tmp_path: Path, url: str) -> None:
    (fault,) = refused(tmp_path, account(more=f'base_url = "{url}"'))
    assert fault.startswith('accounts.0.base_url (acme-coffee): an address such as "https://api.example.com/v1" is ')
    assert CANARY not in fault


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:9000", "https://api.example.com/", "https://[::1]:8443/v1", "HTTPS://API.example.com/a/b//"],
)
def test_an_address_is_taken_with_or_without_what_is_optional(tmp_path: Path, url: str) -> None:
    assert loaded(tmp_path, account(more=f'base_url = "{url}"')).accounts[0].base_url == url.rstrip("/")


def test_all_faults_are_told_together(tmp_path: Path) -> None:
    text = account(more='currency = "x"\ntimezone = "y"') + "[server]\nport = -1\nhots = 1\n"
    assert [fault.split(" ")[0].rstrip(":") for fault in refused(tmp_path, text)] == [
        "server.port",
        "server.hots",
        "accounts.0.currency",
        "accounts.0.timezone",
    ]


@pytest.mark.parametrize("vendor", Vendor)
def test_each_operation_of_each_vendor_can_be_moved(tmp_path: Path, vendor: Vendor) -> None:
    given = ", ".join(f'{name} = "x"' for name in CREDENTIALS[vendor][0])
    moved = "\n".join(f'"{name}" = "POST /moved"' for name in OPERATIONS[vendor])
    more = f'base_url = "https://x.example"\n[accounts.endpoints]\n{moved}'
    found = loaded(tmp_path, account(vendor.value, given, more)).accounts[0].account()
    assert found.endpoints.keys() == OPERATIONS[vendor].keys()


def test_no_fault_repeats_a_secret(tmp_path: Path) -> None:
    """Faults in and around credentials, whose values are not to be seen."""
    texts = [
        account("livello", f'client_id = "{CANARY}", client_secret = 5, {CANARY[:6]} = "{CANARY}"'),
        account(credentials=f'organization_key = "{CANARY} "'),
        account(more=f'webhook = {{ public_key = "{CANARY}" }}'),
        account(more=f'webhook = {{ public_key = ["{CANARY}", 5] }}'),
        ORGANIZATION + f'[store]\nurl = "mysql://u:{CANARY}@h/d"',
        ORGANIZATION + f'[store]\nurl = ["postgresql://u:{CANARY}@h/d"]',
        ORGANIZATION + f'[bus]\nurl = "kafka://u:{CANARY}@h"',
        ORGANIZATION + KEY.replace(digest("k"), CANARY),
        account() + f'[store]\nurl = "{CANARY}" "{CANARY}"',
    ]
    for text in texts:
        assert CANARY not in "\n".join(refused(tmp_path, text))


def test_settings_print_without_their_secrets(tmp_path: Path) -> None:
    settings = loaded(tmp_path, EVERYTHING)
    printed = f"{settings!r} {settings} {settings.accounts[0].account()!r} {settings.model_dump()}"
    for secret in ("3059", "302a3005", "302A3006", "long and secret", "graph:secret@"):
        assert secret not in printed


def test_a_setting_cannot_be_changed_later(tmp_path: Path) -> None:
    settings: Any = loaded(tmp_path, EVERYTHING)
    with pytest.raises(ValueError, match="frozen"):
        settings.server.port = 1


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"a = ", "is not TOML: Invalid value"),
        (b'name = "\xff"', "is not TOML: 'utf-8' codec"),
        (None, "cannot be read: No such file or directory"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, content: bytes | None, reason: str) -> None:
    path = tmp_path / "vendgraph.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingsError) as error:
        load(path)
    assert str(error.value).startswith(f"{path}: {reason}")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read: Is a directory"):
        load(tmp_path)


def test_a_mark_before_the_text_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "vendgraph.toml"
    path.write_text("\ufeff" + account(), encoding="utf-8")
    assert load(path, {}).accounts[0].key == "acme-coffee"


def test_each_vendor_has_credentials() -> None:
    assert CREDENTIALS.keys() == set(Vendor)
