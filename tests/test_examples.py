"""What stands in the folder examples works: it is generated, compiled, and run against a gateway."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from graphql import parse, validate

from schema.root import build
from tests.following import Shop, subscribed
from tests.proxy import wire
from tests.running import ADMIN, Gateway
from tests.scripts import ROOT, Script, needs, script
from tests.stores import MUST

EXAMPLES = ROOT / "examples"
TYPESCRIPT, RELAY, PYTHON = (EXAMPLES / name for name in ("typescript", "relay", "python"))
BIN = PYTHON / ".venv" / "bin"
NEEDS_PYTHON = pytest.mark.skipif(not MUST and not BIN.is_dir(), reason="examples/python is not installed")
EACH = pytest.mark.parametrize(
    "example",
    [
        pytest.param(TYPESCRIPT, marks=needs(TYPESCRIPT), id="typescript"),
        pytest.param(PYTHON, marks=NEEDS_PYTHON, id="python"),
    ],
)
BUILD: dict[Path, tuple[str | Path, ...]] = {
    TYPESCRIPT: ("npm", "run", "build"),
    RELAY: ("npm", "run", "build"),
    PYTHON: (BIN / "ariadne-codegen",),
}
RUN: dict[Path, tuple[str | Path, ...]] = {
    TYPESCRIPT: ("node", "dist/main.js"),
    RELAY: ("node", "dist/main.js"),
    PYTHON: (BIN / "python", "main.py"),
}
MACHINES = "{ machines(first: 1000) { nodes { id name connectivity } } }"
SALES = """query Sales($after: String) {
  sales(first: 1000, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } }
}"""
SOLD = "query Sold($ids: [ID!]!) { nodes(ids: $ids) { ... on Sale { vendorId } } }"


@cache
def built(example: Path) -> Path:
    """Generated from the schema, and compiled."""
    path = os.pathsep.join((str(BIN), os.environ["PATH"]))
    done = subprocess.run(  # noqa: S603  our own programs
        BUILD[example], cwd=example, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return example


def running(example: Path, base: str, *arguments: str, key: str = ADMIN) -> AbstractAsyncContextManager[Script]:
    env = {"VENDGRAPH_URL": f"{base}/graphql", "VENDGRAPH_KEY": key}
    return script(*RUN[example], *arguments, folder=built(example), env=env)


def all_sales(gateway: Gateway) -> Iterator[str]:
    page: dict[str, Any] = {"hasNextPage": True, "endCursor": None}
    while page["hasNextPage"]:
        found = gateway.ask(SALES, {"after": page["endCursor"]})["sales"]
        yield from (sale["id"] for sale in found["nodes"])
        page = found["pageInfo"]


async def heard(following: Script, count: int) -> list[str]:
    """The ids of the next sales."""
    return [(await following.line()).partition("\t")[0] for _ in range(count)]


@EACH
async def test_machines_are_asked_for(gateway: Gateway, example: Path) -> None:
    async with running(example, gateway.base) as asking:
        lines = await asking.rest()
    names = [machine["name"] for machine in gateway.ask(MACHINES)["machines"]["nodes"]][:10]
    assert len(lines) == 10
    assert all(line.startswith(f"{name} ") for line, name in zip(lines, names, strict=True))


@EACH
async def test_a_list_is_read_to_its_end(gateway: Gateway, example: Path) -> None:
    async with running(example, gateway.base, "sales") as asking:
        lines = await asking.rest()
    expected = list(all_sales(gateway))
    assert len(expected) > 500  # several pages of a hundred
    assert [line.partition("\t")[0] for line in lines] == expected


@EACH
async def test_a_subscription_that_is_cut_off_goes_on_without_a_hole_and_without_a_repeat(
    gateway: Gateway, example: Path
) -> None:
    built(example)
    async with (
        wire("127.0.0.1", int(gateway.base.rpartition(":")[2])) as line,
        Shop(gateway) as shop,
        running(example, f"http://127.0.0.1:{line.port}", "follow") as following,
    ):
        await subscribed(gateway)
        sold = await shop.sell(2)
        ids = await heard(following, 2)
        await line.cut()
        await subscribed(gateway, 0)
        sold += await shop.sell(3)
        await line.mend()
        ids += await heard(following, 3)
        sold += await shop.sell(1)
        ids += await heard(following, 1)
    assert [sale["vendorId"] for sale in gateway.ask(SOLD, {"ids": ids})["nodes"]] == sold
    await subscribed(gateway, 0)


@EACH
async def test_a_key_that_is_not_good_ends_a_subscription(gateway: Gateway, example: Path) -> None:
    async with running(example, gateway.base, "follow", key="wrong") as following:
        assert await following.line() == ""
        assert await following.code() == 1


@needs(RELAY)
async def test_relay_compiles_the_schema_and_joins_pages_and_fetches_one_thing_again(gateway: Gateway) -> None:
    async with running(RELAY, gateway.base) as asking:
        *listed, again = await asking.rest()
    machines = gateway.ask(MACHINES)["machines"]["nodes"]
    assert len(machines) > 8  # three pages of four
    assert listed == [f"{one['id']}\t{one['name']}\t{one['connectivity']}" for one in machines]
    assert again == listed[0]


@pytest.mark.parametrize("name", [path.name for path in EXAMPLES.iterdir()])
def test_operations_in_files_fit_the_graph(name: str) -> None:
    files = [path for path in sorted((EXAMPLES / name).rglob("*.graphql")) if "node_modules" not in path.parts]
    text = "\n".join(path.read_text(encoding="utf-8") for path in files)
    assert not text or validate(build()._schema, parse(text)) == []
