"""What a configuration may lead to: addresses of private networks are refused, as they are written and as they resolve.

Names resolve here as a test says; connections are real."""

from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import httpcore2
import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from connectors.http import new_client
from connectors.pooling import Client, Origin
from connectors.reaching import Guarded, Reach, may_reach
from connectors.wire import Reply
from gateway.settings import Settings, SettingsError, load
from sandbox.server import start
from tests.conftest import Resolve
from tests.issuing import ISSUER

PRIVATE = (
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",  # noqa: S104  to be refused
    "224.0.0.1",
    "255.255.255.255",
    "[fd00::1]",
    "[fe80::1]",
    "[::]",
    "[::ffff:10.0.0.1]",
    "[::ffff:7f00:1]",
    "[64:ff9b::a00:1]",
    "[2002:a00:1::]",
    "[ff02::1]",
    "10.1",
    "0xa000001",
    "167772161",
)
LOOPBACK = (
    "127.0.0.1",
    "127.8.8.8",
    "[::1]",
    "localhost",
    "LOCALHOST.",
    "db.localhost",
    "2130706433",
)
PUBLIC = (
    "93.184.216.34",
    "[2606:2800:220:1:248:1893:25c8:1946]",
    "api.example.com",
    "10.example.com",
    "xn--e1afmkfd.example",
)


@pytest.mark.parametrize("host", PRIVATE)
def test_private_addresses_are_refused_however_they_are_written(host: str) -> None:
    assert not may_reach(host, Reach.PUBLIC)
    assert not may_reach(host, Reach.LOCAL)
    assert may_reach(host, Reach.ANYWHERE)


@pytest.mark.parametrize("host", LOOPBACK)
def test_this_machine_is_for_who_listens_on_it_alone(host: str) -> None:
    assert not may_reach(host, Reach.PUBLIC)
    assert may_reach(host, Reach.LOCAL)


@pytest.mark.parametrize("host", PUBLIC)
def test_public_addresses_and_names_may_be_written(host: str) -> None:
    assert may_reach(host, Reach.PUBLIC)


def configured(folder: Path, server: str, host: str) -> Settings:
    path = folder / "vendgraph.toml"
    path.write_text(
        f"""
[server]
{server}
[[organizations]]
key = "acme"
name = "Acme"
[[accounts]]
key = "acme-coffee"
organization = "acme"
vendor = "smartvend"
base_url = "http://{host}/v1"
credentials = {{ organization_key = "k" }}
[auth.jwt]
issuer = "{ISSUER}"
audience = "vendgraph"
jwks_url = "https://{host}/jwks.json"
""",
        encoding="utf-8",
    )
    return load(path)


@pytest.mark.parametrize(
    ("server", "host", "good"),
    [
        ("", "10.0.0.1", False),
        ("", "169.254.169.254", False),
        ("", "127.0.0.1:9", True),
        ("", "api.example.com", True),
        ('host = "0.0.0.0"', "127.0.0.1:9", False),
        ('host = "0.0.0.0"', "localhost", False),
        ('host = "0.0.0.0"\nallow_private_addresses = true', "127.0.0.1", True),
        ("allow_private_addresses = true", "10.0.0.1", True),
        ('environment = "development"', "10.0.0.1", True),
    ],
)
def test_a_configuration_is_refused_by_the_key_that_leads_there(
    server: str, host: str, good: bool, tmp_path: Path
) -> None:
    if good:
        assert configured(tmp_path, server, host).accounts
        return
    with pytest.raises(SettingsError, match=r"accounts\.0\.base_url \(acme-coffee\): it is an address of a private"):
        configured(tmp_path, server, host)


class Target:
    """A server of this machine, at `port`, that counts who came, and sends them on."""

    def __init__(self) -> None:
        self.asked = 0
        self.port = 0

    async def answer(self, _: Request) -> Response:
        self.asked += 1
        return PlainTextResponse("", 302, {"location": f"http://127.0.0.1:{self.port}/secret"})


@pytest.fixture
def target() -> Iterator[Target]:
    target = Target()
    with start(Starlette(routes=[Route("/{path:path}", target.answer)])) as server:
        target.port = int(server.base.rpartition(":")[2])
        yield target


Road = Callable[[Client, str, int], Awaitable[int]]


async def order(client: Client, host: str, port: int) -> int:
    return (await client.get(f"http://{host}:{port}/")).status_code


async def read(client: Client, host: str, port: int) -> int:
    reply = Reply()
    await client.wire.ask(Origin("http", host, port), b"GET / HTTP/1.1\r\nhost: vendor\r\n\r\n", reply)
    assert reply.status is not None
    return reply.status


ROADS = pytest.mark.parametrize("road", [order, read])


@ROADS
@pytest.mark.parametrize("means", ["127.0.0.1", "10.0.0.1", "93.184.216.34 127.0.0.1", "169.254.169.254"])
@pytest.mark.parametrize("reach", [Reach.PUBLIC, Reach.LOCAL])
async def test_a_name_that_leads_into_a_private_network_is_not_connected_to(
    means: str, reach: Reach, road: Road, target: Target, names: Resolve
) -> None:
    names("vendor.example.com", [means])
    async with new_client(reach) as client:
        with pytest.raises(httpx2.ConnectError):
            await road(client, "vendor.example.com", target.port)
    assert target.asked == 0


async def test_what_was_looked_at_is_what_is_connected_to(target: Target, names: Resolve) -> None:
    """A name that means a public address when it is looked at, and this machine a moment later. From an address of
    this machine nothing goes out, so that the public one is not bothered."""
    meanings = ["93.184.216.34", "127.0.0.1"]
    names("vendor.example.com", meanings)
    with pytest.raises(httpcore2.ConnectError):
        await Guarded(Reach.PUBLIC).connect_tcp("vendor.example.com", target.port, 2.0, "127.0.0.1")
    assert (target.asked, meanings) == (0, ["127.0.0.1"])


@ROADS
async def test_this_machine_is_reached_where_it_is_written_and_redirects_are_not_followed(
    road: Road, target: Target
) -> None:
    async with new_client(Reach.LOCAL) as client:
        assert await road(client, "127.0.0.1", target.port) == 302
        assert await road(client, "localhost", target.port) == 302
    assert target.asked == 2
    async with new_client(Reach.PUBLIC) as client:
        with pytest.raises(httpx2.ConnectError):
            await road(client, "127.0.0.1", target.port)
    assert target.asked == 2
