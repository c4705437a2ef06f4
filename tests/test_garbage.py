"""What survived a look for garbage is left out of the next, until all is looked through. In a process of its own, for
there is one collector of a process."""

import subprocess
import sys

from gateway.garbage import EVERY_SECONDS, LONGEST
from tests.processes import environment

BEGINS = """
import gc, weakref
from gateway.garbage import Garbage

class Thing:
    def __init__(self):
        self.itself = self

def survivor():
    thing = Thing()
    gc.collect()
    return weakref.ref(thing)

def after(seconds, busy):
    now[0] = seconds
    garbage.tick(busy=busy)
    return thing() is None

now = [0.0]
garbage = Garbage(lambda: now[0], many=0)
"""


def told(code: str) -> str:
    done = subprocess.run(  # noqa: S603  our own code
        [sys.executable, "-c", BEGINS + code], capture_output=True, text=True, timeout=60, env=environment(), check=True
    )
    return done.stdout.strip()


def test_what_is_new_and_refers_to_itself_is_found() -> None:
    code = """
with garbage.tended():
    thing = weakref.ref(Thing())
    gc.collect()
    print(thing() is None)
"""
    assert told(code) == "True"


def test_what_survived_is_left_out_until_all_is_looked_through() -> None:
    code = f"""
with garbage.tended():
    thing = survivor()
    gc.collect()
    early = after({EVERY_SECONDS} - 1, False)
    print(early, after({EVERY_SECONDS}, True), after({EVERY_SECONDS}, False))
"""
    assert told(code) == "False False True"


def test_a_gateway_that_is_never_quiet_is_looked_through_all_the_same() -> None:
    code = f"""
with garbage.tended():
    thing = survivor()
    print(after({LONGEST * EVERY_SECONDS} - 1, True), after({LONGEST * EVERY_SECONDS}, True))
"""
    assert told(code) == "False True"


def test_all_is_looked_through_where_a_quarter_of_it_may_be_garbage() -> None:
    """In a quiet moment, or, where there is none, when it may be half."""
    code = """
def left_out(share):
    thing = survivor()
    kept.append([[] for _ in range(int(everything * share))])
    gc.collect()
    return thing

kept, everything = [], 0
with garbage.tended():
    everything = gc.get_freeze_count()
    thing = left_out(0.2)
    print(after(1, False))
    kept.append(left_out(0.1))
    print(after(1, True), after(1, False))
    thing = left_out(0.4)
    print(after(2, True))
    kept.append(left_out(0.4))
    print(after(2, True))
"""
    assert told(code).split() == ["False", "False", "True", "False", "True"]


def test_a_few_are_looked_through_again_and_again() -> None:
    code = """
garbage = Garbage(many=1_000_000)
with garbage.tended():
    thing = survivor()
    gc.collect()
    print(thing() is None)
"""
    assert told(code) == "True"


def test_who_does_not_tend_it_any_more_finds_all() -> None:
    code = """
with garbage.tended():
    pass
gc.unfreeze()
thing = survivor()
gc.collect()
print(thing() is None)
"""
    assert told(code) == "True"
