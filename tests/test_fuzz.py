"""Whatever is asked, in whatever shape, is answered as GraphQL, and is no failure of the gateway's."""

import re

import pytest

from tests.fuzz import fuzz
from tests.running import Gateway

SEED = "20260301"  # the same operations on every run: `make fuzz` makes up others
EACH = 2  # operations, of each field of the root


@pytest.mark.timeout(180)  # of a process that takes long to start on a machine that has other things to do
def test_operations_that_are_made_up_from_the_schema_are_answered(gateway: Gateway) -> None:
    done = fuzz(gateway, "--max-examples", str(EACH), "--seed", SEED, "--no-shrink")
    assert done.returncode == 0, done.stdout + done.stderr
    told = re.search(r"(\d+) generated, (\d+) passed", done.stdout)
    assert told is not None, done.stdout
    assert int(told[2]) == int(told[1]) >= 70, done.stdout
