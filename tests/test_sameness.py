"""Compiled operations answer as graphql-core does, whatever is asked, and whoever asks."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.running import Sandbox
from tests.sameness import ROOTS, compare, compared, fail, patient_sandbox

COUNT = -(-1_000 // (2 * len(ROOTS)))  # of each field of the root, and of each state of the vendors


@pytest.fixture(scope="module")
def shared_sandbox() -> Iterator[Sandbox]:
    with patient_sandbox() as sandbox:
        yield sandbox


@pytest.mark.parametrize("broken", [False, True], ids=["healthy", "some vendors fail"])
@pytest.mark.parametrize("root", ROOTS)
async def test_operations_are_answered_the_same(root: str, broken: bool, sandbox: Sandbox, tmp_path: Path) -> None:
    async with compared(sandbox, tmp_path) as (both, known):
        if broken:
            await fail(sandbox, both)
        valid = await compare(both, known, root, COUNT)
        assert both.same + sum(both.left.values()) > valid / 2 > 0
