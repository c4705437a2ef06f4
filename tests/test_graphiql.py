"""GraphiQL comes from the gateway's own files, loads nothing from elsewhere, and does what a person does with it."""

import gzip
import shutil
import subprocess
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from gateway.graphiql import POLICY, RULES, address
from tests.following import Shop, subscribed
from tests.running import ADMIN, CLIENT, Gateway, Sandbox, running_gateway
from tests.scripts import ROOT, needs, script
from tests.stores import MUST

BROWSER, SOURCES = ROOT / "tests" / "browser", ROOT / "graphiql"
STATIC = files("gateway") / "static"
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome")
A_BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
NAMES = sorted(one.name.removesuffix(".gz") for one in STATIC.iterdir())
QUERY = "{ viewer { name } }"
SALES = "subscription Sold { sales { cursor sale { vendorId } } }"
WHO = {"data": {"viewer": {"name": ADMIN.removeprefix("vg_")}}}


def get(gateway: Gateway, path: str, **headers: str) -> httpx2.Response:
    return CLIENT.get(gateway.base + path, headers=headers)


@needs(SOURCES)
def test_what_is_served_is_what_its_sources_make(tmp_path: Path) -> None:
    subprocess.run(["node", "build.mjs", tmp_path], cwd=SOURCES, check=True)  # noqa: S603, S607  our own program
    made = {path.name: gzip.decompress(path.read_bytes()) for path in tmp_path.iterdir()}
    assert {one.name: gzip.decompress(one.read_bytes()) for one in STATIC.iterdir()} == made, "run `make graphiql`"


def test_it_is_small_enough_to_be_kept_with_the_sources() -> None:
    assert sum(len(one.read_bytes()) for one in STATIC.iterdir()) < 2_500_000


def test_a_browser_gets_the_page_under_a_strict_policy(gateway: Gateway) -> None:
    page = get(gateway, "/graphql", **A_BROWSER)
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["content-security-policy"] == POLICY
    assert RULES["default-src"] == RULES["frame-ancestors"] == "'none'"
    assert RULES["script-src"] == RULES["connect-src"] == RULES["worker-src"] == "'self'"


@pytest.mark.parametrize("name", [name for name in NAMES if name != "page.html"])
def test_its_files_are_served_compressed_or_not_and_known_again(gateway: Gateway, name: str) -> None:
    path = f"/graphiql/{name}"
    plain = get(gateway, path, **{"accept-encoding": "identity"})
    compressed = get(gateway, path, **{"accept-encoding": "gzip"})
    assert plain.status_code == compressed.status_code == 200
    assert "content-encoding" not in plain.headers
    assert compressed.headers["content-encoding"] == "gzip"
    assert plain.content == compressed.content == gzip.decompress((STATIC / f"{name}.gz").read_bytes())
    assert compressed.headers["content-security-policy"] == POLICY  # a worker has its own from its file
    again = get(gateway, path, **{"if-none-match": plain.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("name", ["page.html", "main.js.gz", "nothing.js", "..%2Fgraphiql.py"])
def test_nothing_else_is_served(gateway: Gateway, name: str) -> None:
    answer = get(gateway, f"/graphiql/{name}")
    assert answer.status_code == 404
    assert "errors" in answer.json()


def test_in_production_there_is_none(shared_sandbox: Sandbox, tmp_path: Path) -> None:
    with running_gateway(shared_sandbox, tmp_path, environment="production") as gateway:
        assert get(gateway, "/graphql", **A_BROWSER).status_code == 401
        assert get(gateway, "/graphiql/main.js").status_code == 404


def test_the_key_in_an_address_is_told_to_no_server() -> None:
    opened = urlsplit(address("http://127.0.0.1:8000", QUERY, ADMIN))
    assert (opened.path, opened.query) == ("/graphql", "")
    assert ADMIN in opened.fragment


@pytest.fixture
def chromium() -> str:
    """Without one its test is skipped, but for CI, where it fails."""
    found = next(filter(None, map(shutil.which, CHROMIUMS)), None)
    if found is None:
        (pytest.fail if MUST else pytest.skip)(f"there is no Chromium: looked for {', '.join(CHROMIUMS)}")
    return found


@needs(BROWSER)
async def test_a_person_signs_in_and_asks_and_follows(gateway: Gateway, chromium: str) -> None:
    asked = {
        "chromium": chromium,
        "url": f"{gateway.base}/graphql",
        "key": ADMIN,
        "wrong": "vg_wrong",
        "query": QUERY,
        "subscription": SALES,
        "name": "Sold",
    }
    async with (
        script("node", "graphiql.mjs", folder=BROWSER, asked=asked) as person,
        Shop(gateway) as shop,
    ):
        refused = await person.hear()
        assert "not good" in refused["refused"]
        assert refused["session"] == {}
        assert await person.hear() == {"answer": WHO}
        await subscribed(gateway)
        (sold,) = await shop.sell(1)
        told = await person.hear()
        assert told["message"]["data"]["sales"]["sale"] == {"vendorId": sold}
        kept = await person.hear()
        assert list(kept["session"].values()) == [ADMIN]
        assert ADMIN not in str(kept["others"])
        signed_out = await person.hear()
        assert signed_out["session"] == {}
        await subscribed(gateway, 0)
        assert await person.hear() == {"answer": WHO, "address": f"{gateway.base}/graphql"}
        only_asked_here(await person.hear(), gateway)
        forbidden = await person.hear()
    assert not forbidden["ran"]
    for directive in ("script-src", "connect-src", "img-src"):
        assert any(directive in error for error in forbidden["errors"]), directive


def only_asked_here(seen: Any, gateway: Gateway) -> None:
    """By HTTP and by a socket; and the browser had nothing to complain of."""
    own = urlsplit(gateway.base).netloc
    assert {urlsplit(url).netloc for url in [*seen["requests"], *seen["sockets"]]} == {own}
    assert seen["sockets"]
    assert {f"/graphiql/{name}.js" for name in ("main", "editor", "graphql", "json")} <= {
        urlsplit(url).path for url in seen["requests"]
    }
    assert seen["errors"] == []
