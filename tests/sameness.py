"""Compiled operations against graphql-core, over operations that hypothesis-graphql makes of the graph's schema.

`python -m tests.sameness 100000` compares as many, and tells how often both answered."""

import asyncio
import random
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from graphql import DocumentNode, parse, validate
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis_graphql import nodes, queries

from domain.model import Role
from resolvers.context import Viewer
from schema.root import build
from tests.comparing import Compared, comparing
from tests.running import Sandbox, config_text, running_sandbox
from tests.varying import Varied

SCHEMA = build()
CORE = SCHEMA._schema
ROOTS = tuple(
    name for name in (CORE.query_type.fields if CORE.query_type else ()) if name != "exportSales"
)  # whose id is another each time
BROKEN = {"livello": "status", "smartvend": "junk", "vendnovation": "status"}
VARIATIONS = 8  # of each operation that is made
FOREVER = "machines = 3600\nslots = 3600\nproducts = 3600\nstate = 3600\nsales = 3600"
TIMES = ["2026-11-20T00:00:00+02:00", "2026-11-24T09:30:00Z", "2027-01-01T00:00:00Z"]
SCALARS = {
    "DateTime": st.sampled_from(TIMES).map(nodes.String),
    "Date": st.just("2026-03-01").map(nodes.String),
    "Decimal": st.sampled_from(["2.50", "0", "x"]).map(nodes.String),
    "JSON": st.just("x").map(nodes.String),
}
KNOWN = """{ machines(first: 30) { nodes { id organization { id } slots { id } account { id } } }
  products(first: 10) { nodes { id } } sales(first: 20) { nodes { id } } events(first: 10) { nodes { id } }
  people(first: 10) { nodes { id } } stockMovements(first: 5) { nodes { id } }
  cashCollections(first: 5) { nodes { id } } organizationUnits(first: 5) { nodes { id } }
  entitlementGroups(first: 3) { nodes { id } } }"""


def viewer(role: Role) -> Viewer:
    return Viewer(name=role.value, role=role, organizations=frozenset({"acme"}))


def operations(root: str, count: int) -> list[DocumentNode]:
    """Of one field of the root, the same in each run."""
    found: list[DocumentNode] = []
    made = queries(CORE, fields=[root], custom_scalars=SCALARS, allow_x00=False, print_ast=found.append)

    @settings(
        max_examples=count,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(made)
    def collect(_: object) -> None:
        pass

    collect()
    return found[:count]


def ids(answer: Any) -> list[str]:
    if isinstance(answer, dict):
        own = [answer["id"]] if "id" in answer else []
        return own + [one for value in answer.values() for one in ids(value)]
    return [one for item in answer for one in ids(item)] if isinstance(answer, list) else []


@asynccontextmanager
async def compared(sandbox: Sandbox, folder: Path) -> AsyncIterator[tuple[Compared, Sequence[str]]]:
    """And the ids of things that there are, with one that is none. All that can be kept is kept."""
    file = folder / "sameness.toml"
    file.write_text(config_text(sandbox, folder, cache=FOREVER), encoding="utf-8")
    async with comparing(file, SCHEMA) as both:
        told = await both.by_core(parse(KNOWN), viewer(Role.ADMIN), {})
        yield both, [*dict.fromkeys(ids(told.data)), "nothing"]


async def compare(both: Compared, known: Sequence[str], root: str, count: int) -> int:
    """How many were valid, of `count` and their variations."""
    valid = 0
    for place, document in enumerate(operations(root, -(-count // VARIATIONS))):
        for variation in range(VARIATIONS):
            chance = random.Random(f"{root} {place} {variation}")  # noqa: S311  it is to be the same in each run
            varied = Varied(CORE, chance, known)
            node = parse(varied.of(document))
            if not validate(CORE, node):
                await both.compare(node, viewer(chance.choice(list(Role))), varied.variables)
                valid += 1
    return valid


async def fail(sandbox: Sandbox, both: Compared) -> None:
    """Some vendors, from now on; what they told before is still there."""
    for source in both.graph.sources.values():
        await source.aclose()
    for vendor, kind in BROKEN.items():
        sandbox.break_(vendor, kind)


async def _all(count: int) -> None:
    """Half of them while all vendors are well, and half while some fail."""
    for broken in (False, True):
        with running_sandbox() as sandbox, tempfile.TemporaryDirectory() as folder:
            async with compared(sandbox, Path(folder)) as (both, known):
                if broken:
                    await fail(sandbox, both)
                valid = sum([await compare(both, known, root, -(-count // (2 * len(ROOTS)))) for root in ROOTS])
                state = "some vendors fail" if broken else "all vendors are well"
                left = ", ".join(f"{name} {times}" for name, times in sorted(both.left.items()))
                sys.stdout.write(f"{state}: {valid} operations; {both.same} the same; left to graphql-core: {left}\n")
                sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(_all(int(sys.argv[1])))
