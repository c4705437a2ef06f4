"""What the configuration says of webhooks, checked before anything starts."""

from decimal import Decimal
from pathlib import Path

import pytest

from connectors.base import Account
from gateway.settings import SettingsError, load

ED25519 = "302a300506032b6570032100ea4a6c63e29c520abef5507b132ec5f9954776aebebe7b92421eea691446d22c"
BASE = """
[[organizations]]
key = "acme"
name = "Acme"
[[accounts]]
key = "it"
organization = "acme"
currency = "EUR"
"""
CREDENTIALS = {
    "smartvend": 'vendor = "smartvend"\ncredentials = { organization_key = "k" }\n',
    "smartepi": 'vendor = "smartepi"\nbase_url = "http://epi.test/v1"\ncredentials = { api_key = "k" }\n',
    "eatmachine": 'vendor = "eatmachine"\ncredentials = { api_key = "k" }\n',
    "livello": 'vendor = "livello"\ncredentials = { client_id = "k", client_secret = "s" }\n',
}


def configured(folder: Path, vendor: str, rest: str, **environment: str) -> Account:
    path = folder / "vendgraph.toml"
    path.write_text(BASE + CREDENTIALS[vendor] + rest, encoding="utf-8")
    return load(path, environment).accounts[0].account()


def keys(account: Account) -> list[str]:
    assert account.webhook is not None
    return [key.reveal() for key in account.webhook.keys]


@pytest.mark.parametrize(
    ("vendor", "key", "value"),
    [("smartvend", "public_key", ED25519), ("smartepi", "secret", "whsec_x"), ("eatmachine", "url_secret", "u")],
)
def test_each_vendor_has_a_key_or_two(tmp_path: Path, vendor: str, key: str, value: str) -> None:
    assert keys(configured(tmp_path, vendor, f'webhook = {{ {key} = "{value}" }}')) == [value]
    two = f'webhook = {{ {key} = ["${{KEY}}", "{value}"] }}'
    assert keys(configured(tmp_path, vendor, two, KEY=value)) == [value, value]
    for none in ("", "webhook = {}"):
        assert configured(tmp_path, vendor, none).webhook is None


def test_what_smartepi_leaves_open_can_be_said(tmp_path: Path) -> None:
    usual = configured(tmp_path, "smartepi", '[accounts.webhook]\nsecret = "s"').webhook
    assert usual is not None
    assert (usual.recipe, usual.tolerance, usual.encoding) == (None, 300.0, "text")
    rest = 'secret = "whsec_AAAA"\nsecret_encoding = "base64"\nrecipe = "{t}:{body}"\ntolerance_seconds = 60'
    told = configured(tmp_path, "smartepi", f"[accounts.webhook]\n{rest}").webhook
    assert told is not None
    assert (told.recipe, told.tolerance, told.encoding) == ("{t}:{body}", 60.0, "base64")


def test_prices_are_exact(tmp_path: Path) -> None:
    found = configured(tmp_path, "eatmachine", '[accounts.prices]\n"Tea, hot" = "1.10"\n6a0c = "0.3"\n')
    assert found.prices == {"Tea, hot": Decimal("1.10"), "6a0c": Decimal("0.3")}
    assert configured(tmp_path, "eatmachine", "").prices == {}


@pytest.mark.parametrize(
    ("vendor", "rest", "fault"),
    [
        ("smartvend", 'webhook = { public_key = "3059" }', "webhook (it): public_key is no public key"),
        ("smartvend", f'webhook = {{ public_key = ["{ED25519}", "xy"] }}', "webhook (it): public_key"),
        ("smartvend", 'webhook = { public_key = "" }', "webhook.public_key.0 (it): "),
        ("smartvend", 'webhook = { public_key = ["a", "b", "c"] }', "webhook.public_key (it): "),
        ("smartvend", "webhook = { public_key = [] }", "webhook.public_key (it): "),
        ("smartvend", "webhook = { public_key = 7 }", "webhook.public_key (it): "),
        (
            "smartvend",
            'webhook = { secret = "s" }',
            "webhook.secret (it): there is no such key here: smartvend takes public_key",
        ),
        (
            "smartvend",
            f'webhook = {{ public_key = "{ED25519}", recipe = "{{body}}" }}',
            "webhook.recipe (it): there is no such key here: smartvend takes public_key",
        ),
        ("smartepi", 'webhook = { recipe = "{body}" }', "webhook.secret (it): is missing"),
        ("smartepi", 'webhook = { secret = "s", recipe = "{t}" }', "webhook (it): recipe must hold {body}"),
        (
            "smartepi",
            'webhook = { secret = "!", secret_encoding = "base64" }',
            "webhook (it): secret is no base64",
        ),
        (
            "smartepi",
            'webhook = { secret = "s", secret_encoding = "hex" }',
            "webhook.secret_encoding (it): ",
        ),
        (
            "smartepi",
            'webhook = { secret = "s", tolerance_seconds = 0 }',
            "webhook.tolerance_seconds (it): ",
        ),
        ("eatmachine", 'webhook = { url_secrets = "s" }', "webhook.url_secrets (it): there is no such key"),
        ("livello", 'webhook = { secret = "s" }', "webhook (it): livello sends no webhooks"),
        ("eatmachine", 'prices = { tea = "-1" }', "prices.tea (it): "),
        ("eatmachine", 'prices = { tea = "free" }', "prices.tea (it): "),
        ("smartepi", 'prices = { tea = "1" }', "prices (it): only eatmachine's"),
    ],
)
def test_a_fault_is_named_with_its_file_its_key_and_its_reason(
    tmp_path: Path, vendor: str, rest: str, fault: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        configured(tmp_path, vendor, rest)
    assert f"{tmp_path / 'vendgraph.toml'}: accounts.0.{fault}" in str(refused.value)
    assert ED25519 not in str(refused.value)


def test_prices_need_a_currency(tmp_path: Path) -> None:
    path = tmp_path / "vendgraph.toml"
    text = BASE.replace('currency = "EUR"\n', "") + CREDENTIALS["eatmachine"] + 'prices = { tea = "1" }'
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=r"accounts\.0\.prices \(it\): .* currency"):
        load(path, {})
