"""Compiled operations against graphql-core, over operations that hypothesis-graphql makes of the graph's schema.

`python -m tests.sameness 100000` compares at least as many, tells how often both answered, and ends with the first
difference. `--seed` makes others than the usual ones."""

import argparse
import asyncio
import logging
import random
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from itertools import product
from pathlib import Path
from typing import Any

import structlog
from graphql import DocumentNode, parse, validate
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis_graphql import nodes, queries

from domain.model import Role
from resolvers.context import Viewer
from sandbox.app import create_app
from sandbox.server import start
from sandbox.world import World
from schema.root import build
from tests.comparing import Compared, comparing
from tests.running import Sandbox, config_text
from tests.varying import Varied
from tests.vendors import CASES

SCHEMA = build()
CORE = SCHEMA._schema
ROOTS = tuple(
    name for name in (CORE.query_type.fields if CORE.query_type else ()) if name != "exportSales"
)  # whose id is another each time
BROKEN = {"livello": "status", "smartvend": "junk", "vendnovation": "status"}
SEED = 1
VARIATIONS = 8  # of each operation that is made
MOST_VARIATIONS = 64  # where many are no valid operation, or of a field there are few operations
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


def operations(root: str, count: int, chosen: int = SEED) -> list[DocumentNode]:
    """Of one field of the root, the same in each run of a seed."""
    found: list[DocumentNode] = []
    made = queries(CORE, fields=[root], custom_scalars=SCALARS, allow_x00=False, print_ast=found.append)

    @seed(f"{chosen} {root}")
    @settings(
        max_examples=count,
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


async def compare(both: Compared, known: Sequence[str], root: str, count: int, chosen: int = SEED) -> int:
    """How many were compared: `count`, unless too few of their variations are valid. What differs is told with the
    operation."""
    valid = 0
    documents = operations(root, -(-count // VARIATIONS), chosen)
    for variation, (place, document) in product(range(MOST_VARIATIONS), enumerate(documents)):
        if valid == count:
            break
        chance = random.Random(f"{chosen} {root} {place} {variation}")  # noqa: S311  it is to be the same in each run
        varied = Varied(CORE, chance, known)
        text = varied.of(document)
        node = parse(text)
        if validate(CORE, node):
            continue
        role = chance.choice(list(Role))
        try:
            await both.compare(node, viewer(role), varied.variables)
        except AssertionError as error:
            error.add_note(f"asked by {role.value} with {varied.variables}, seed {chosen}:\n{text}")
            raise
        valid += 1
    return valid


@contextmanager
def patient_sandbox() -> Iterator[Sandbox]:
    """Whose vendors never have too many requests: thousands of operations ask them one after another."""
    world = World(scale=0.1, days=45, seed=7)
    app = create_app(world, [case.emulate(world) for case in CASES])
    with start(app) as server:
        yield Sandbox(server.base, app)


async def fail(sandbox: Sandbox, both: Compared) -> None:
    """Some vendors, from now on; what they told before is still there."""
    for source in both.graph.sources.values():
        await source.aclose()
    for vendor, kind in BROKEN.items():
        sandbox.break_(vendor, kind)


async def _all(count: int, chosen: int) -> None:
    """Half of them while all vendors are well, and half while some fail."""
    sys.stdout.write(f"at least {count} operations over {len(ROOTS)} fields of the root, seed {chosen}\n")
    done = 0
    for broken in (False, True):
        with patient_sandbox() as sandbox, tempfile.TemporaryDirectory() as folder:
            async with compared(sandbox, Path(folder)) as (both, known):
                if broken:
                    await fail(sandbox, both)
                valid = sum([await compare(both, known, root, -(-count // (2 * len(ROOTS))), chosen) for root in ROOTS])
                state = "some vendors fail" if broken else "all vendors are well"
                left = ", ".join(f"{name} {times}" for name, times in sorted(both.left.items()))
                sys.stdout.write(f"{state}: {valid} operations; {both.same} the same; left to graphql-core: {left}\n")
                sys.stdout.flush()
                done += valid
    if done < count:
        raise SystemExit(f"no more than {done} of them were valid")


def main() -> None:
    asked = argparse.ArgumentParser(prog="python -m tests.sameness", description=__doc__)
    asked.add_argument("count", type=int)
    asked.add_argument("--seed", type=int, default=SEED)
    given_ = asked.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))  # vendors fail on purpose
    asyncio.run(_all(given_.count, given_.seed))


if __name__ == "__main__":
    main()
