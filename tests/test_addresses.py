"""The addresses of a configuration, each kind alike: judged as they are written, looked up by `vendgraph check`, and
judged again where they are connected to. Names resolve here as a test says; connections are real."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import requests
from typer.testing import CliRunner

from connectors.reaching import Reach
from gateway import logs
from gateway.check import addresses, sign_in
from gateway.cli import app
from gateway.collecting import session
from gateway.settings import PRIVATE, SettingsError, load
from tests.conftest import Resolve
from tests.issuing import ISSUER

PLACES = {
    "server.public_url": "graph.example.com",
    "auth.jwt.0.jwks_url (jwt)": "issuer.example.com",
    "tracing.endpoint": "collector.example.com",
    "accounts.0.base_url (acme-fridges)": "vendor.example.com",
}
PUBLIC = "93.184.216.34"


def written(folder: Path, hosts: dict[str, str] | None = None, server: str = "") -> Path:
    public, issuer, collector, vendor = ((hosts or {}).get(place, host) for place, host in PLACES.items())
    path = folder / "vendgraph.toml"
    path.write_text(
        f"""
[server]
public_url = "https://{public}"
{server}
[[organizations]]
key = "acme"
name = "Acme"
[[accounts]]
key = "acme-fridges"
organization = "acme"
vendor = "eatmachine"
base_url = "http://{vendor}:9"
credentials = {{ api_key = "k" }}
webhook = {{ url_secret = "a long one" }}
[[auth.jwt]]
name = "jwt"
issuer = "{ISSUER}"
audience = "vendgraph"
jwks_url = "https://{issuer}/jwks.json"
[tracing]
endpoint = "http://{collector}:4318"
""",
        encoding="utf-8",
    )
    return path


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("host", ["10.0.0.1", "[::ffff:10.0.0.1]", "169.254.169.254", "0xa000001"])
def test_each_is_judged_as_it_is_written(place: str, host: str, tmp_path: Path) -> None:
    path = written(tmp_path, {place: host})
    with pytest.raises(SettingsError) as refused:
        load(path)
    assert str(refused.value) == f"{path}: {place}: {PRIVATE}"
    assert load(written(tmp_path, {place: host}, "allow_private_addresses = true"))


@pytest.mark.parametrize("place", PLACES)
def test_none_holds_credentials(place: str, tmp_path: Path) -> None:
    path = written(tmp_path, {place: "user:secret@api.example.com"})
    with pytest.raises(SettingsError) as refused:
        load(path)
    assert str(refused.value).startswith(f"{path}: {place}: an address such as")
    assert "secret" not in str(refused.value)


def resolving(names: Resolve, means: dict[str, str | None]) -> None:
    """All of them are public, but for those that are told; None is not known."""
    for place, host in PLACES.items():
        address = means.get(place, PUBLIC)
        names(host, [] if address is None else [address] * 3)


async def test_those_that_lead_to_the_public_are_good(names: Resolve, tmp_path: Path) -> None:
    resolving(names, {})
    assert await addresses(load(written(tmp_path))) == {}


@pytest.mark.parametrize("place", [place for place in PLACES if not place.startswith("accounts")])
async def test_each_is_looked_up(place: str, names: Resolve, tmp_path: Path) -> None:
    resolving(names, {place: f"{PUBLIC} 127.0.0.1"})
    assert await addresses(load(written(tmp_path))) == {place: PRIVATE}
    assert await addresses(load(written(tmp_path, server="allow_private_addresses = true"))) == {}


async def test_an_accounts_own_is_told_with_the_account(names: Resolve, tmp_path: Path) -> None:
    resolving(names, {"accounts.0.base_url (acme-fridges)": "192.168.1.1"})
    assert await sign_in(load(written(tmp_path))) == {"acme-fridges": f"base_url: {PRIVATE}"}


async def test_who_is_connected_to_has_to_be_known_and_where_others_come_to_need_not(
    names: Resolve, tmp_path: Path
) -> None:
    resolving(names, dict.fromkeys(PLACES))
    settings = load(written(tmp_path))
    unknown = "the name cannot be resolved"
    assert await addresses(settings) == {"auth.jwt.0.jwks_url (jwt)": unknown, "tracing.endpoint": unknown}
    assert await sign_in(settings) == {"acme-fridges": f"base_url: {unknown}"}


def test_check_has_a_line_for_each_that_is_wrong(
    names: Resolve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "configure", lambda _: None)  # it would be for the whole process, and for good
    resolving(names, dict.fromkeys(PLACES, "10.0.0.1"))
    done = CliRunner().invoke(app, ["check", "--config", str(written(tmp_path))])
    assert done.exit_code == 1
    assert sorted(done.stdout.splitlines()) == sorted(
        [
            f"server.public_url: {PRIVATE}",
            f"auth.jwt.0.jwks_url (jwt): {PRIVATE}",
            f"tracing.endpoint: {PRIVATE}",
            f"acme-fridges: base_url: {PRIVATE}",
        ]
    )


def test_no_address_is_given_out_that_leads_into_a_private_network(names: Resolve, tmp_path: Path) -> None:
    config = str(written(tmp_path))
    names("graph.example.com", ["10.0.0.1", PUBLIC])
    asked = ["webhook-url", "--config", config, "acme-fridges", "5699613c-0e96-470c-ba56-e520343ebc63"]
    refused = CliRunner().invoke(app, asked)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert refused.stderr == f"{config}: server.public_url: {PRIVATE}\n"
    given = CliRunner().invoke(app, asked)
    assert given.stdout.startswith("https://graph.example.com/webhooks/acme-fridges/5699613c")


class Collector(BaseHTTPRequestHandler):
    asked: list[str]

    def do_POST(self) -> None:
        host = self.headers["host"]
        self.asked.append(host)
        self.send_response(307)
        self.send_header("location", f"http://elsewhere.example.com:{host.rpartition(':')[2]}/secret")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


@pytest.fixture
def collector() -> Iterator[tuple[int, list[str]]]:
    """Its port, and whom it was asked as. It sends on to another name."""
    asked: list[str] = []
    handler = type("Handler", (Collector,), {"asked": asked})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port, asked
        server.shutdown()


@pytest.mark.parametrize("means", ["127.0.0.1", f"{PUBLIC} 127.0.0.1", "169.254.169.254"])
@pytest.mark.parametrize("reach", [Reach.PUBLIC, Reach.LOCAL])
def test_a_collector_in_a_private_network_is_not_connected_to(
    means: str, reach: Reach, collector: tuple[int, list[str]], names: Resolve
) -> None:
    port, asked = collector
    names("collector.example.com", [means])
    with pytest.raises(requests.ConnectionError, match="private network"):
        session(reach).post(f"http://collector.example.com:{port}/v1/traces", data=b"spans", timeout=2)
    assert asked == []


def test_what_was_looked_at_of_a_collector_is_what_is_connected_to(
    collector: tuple[int, list[str]], names: Resolve
) -> None:
    """From an address of this machine nothing goes out, so that the public one is not bothered."""
    port, asked = collector
    meanings = [PUBLIC, "127.0.0.1"]
    names("collector.example.com", meanings)
    sending = session(Reach.PUBLIC)
    adapter: Any = sending.get_adapter("http://collector.example.com")
    adapter.poolmanager.connection_pool_kw["source_address"] = ("127.0.0.1", 0)
    with pytest.raises(requests.ConnectionError):
        sending.post(f"http://collector.example.com:{port}/v1/traces", data=b"spans", timeout=2)
    assert (asked, meanings) == ([], ["127.0.0.1"])


def test_a_collector_on_this_machine_is_reached_as_it_is_written_and_sends_nobody_on(
    collector: tuple[int, list[str]], names: Resolve
) -> None:
    port, asked = collector
    names("elsewhere.example.com", ["127.0.0.1"])
    with pytest.raises(requests.ConnectionError, match="private network"):
        session(Reach.LOCAL).post(f"http://localhost:{port}/v1/traces", data=b"spans", timeout=2)
    assert asked == [f"localhost:{port}"]
