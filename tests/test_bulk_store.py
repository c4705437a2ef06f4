"""What the store keeps of bulks, on both databases."""

from dataclasses import replace

import pytest
from sqlalchemy import Engine

from domain.capabilities import Capability
from domain.commands import CommandStatus, Progress, UserError
from domain.errors import Conflict, ErrorCode
from journal import bulks
from journal.audit import Actor
from journal.bulks import KeptBulk
from tests.ledgers import UNTIL, at, change, intent, kept

ME = Actor(name="me")
BULK = KeptBulk(
    id="b1",
    organization="acme",
    idempotency_key="key",
    kind=Capability.SET_PRICE,
    requested_by="me",
    created_at=at(0),
    fingerprint="f" * 64,
    size=3,
    owner="worker",
    attempt=1,
    until=UNTIL,
)
WRONG = UserError(code=ErrorCode.BAD_INPUT, message="no", field=["input"])


@pytest.fixture
def placed(store: Engine) -> Engine:
    assert change(store, lambda ledger: bulks.place(ledger, BULK, ME)) == (BULK, True)
    return store


def taken_on(store: Engine, index: int, native: str, *, tries: int = 1, attempt: int = 1) -> bool:
    one = intent(native, key=f"key#{index}.{tries}")
    return change(store, lambda ledger: bulks.take_on(ledger, "b1", attempt, index, tries, one)) is not None


def test_a_key_is_of_one_bulk(placed: Engine) -> None:
    again = replace(BULK, id="b2")
    assert change(placed, lambda ledger: bulks.place(ledger, again, ME)) == (BULK, False)
    with pytest.raises(Conflict):
        change(placed, lambda ledger: bulks.place(ledger, replace(again, fingerprint="g" * 64), ME))
    theirs = replace(again, organization="other")
    assert change(placed, lambda ledger: bulks.place(ledger, theirs, ME)) == (theirs, True)


def test_one_is_at_it_and_who_was_stopped_makes_no_more_of_it(placed: Engine) -> None:
    assert taken_on(placed, 0, "c0")
    take = [change(placed, lambda ledger: bulks.take_over(ledger, BULK, "other", UNTIL + 9)) for _ in range(2)]
    assert take == [2, None]
    assert not taken_on(placed, 1, "c1")
    change(placed, lambda ledger: bulks.refuse(ledger, "b1", 1, 1, WRONG))
    assert not change(placed, lambda ledger: bulks.hold(ledger, "b1", 1, "worker", UNTIL + 99, ["c0"]))
    assert kept(placed, "c0").until == UNTIL
    change(placed, lambda ledger: bulks.leave(ledger, "b1", 1))
    found = bulks.find(placed, "b1")
    assert found is not None
    assert (found.owner, found.until) == ("other", UNTIL + 9)
    assert [item.tries for item in bulks.items(placed, found)] == [1, 0, 0]
    change(placed, lambda ledger: bulks.leave(ledger, "b1", 2))
    assert bulks.find(placed, "b1") == replace(found, until=None)


def test_what_waits_is_held_with_it(placed: Engine) -> None:
    assert taken_on(placed, 0, "c0")
    assert taken_on(placed, 1, "c1")
    assert change(placed, lambda ledger: ledger.claim("c1", 1, UNTIL, at(1))) is not None
    assert change(placed, lambda ledger: bulks.hold(ledger, "b1", 1, "worker", UNTIL + 5, ["c0", "c1"]))
    assert [kept(placed, native).until for native in ("c0", "c1")] == [UNTIL + 5, UNTIL]


def test_what_was_never_sent_may_be(placed: Engine) -> None:
    for index, native in enumerate(("c0", "c1", "c2")):
        assert taken_on(placed, index, native)
    failed = Progress(status=CommandStatus.FAILED)
    for native, progress in (("c0", replace(failed, unsent=True)), ("c1", failed)):
        assert change(placed, lambda ledger, native=native: ledger.claim(native, 1, UNTIL, at(1))) is not None  # type: ignore[misc]
        change(placed, lambda ledger, native=native, progress=progress: ledger.settle(native, progress, at(2)))  # type: ignore[misc]
    change(placed, lambda ledger: bulks.refuse(ledger, "b1", 1, 2, WRONG))
    items = bulks.items(placed, BULK)
    assert [item.unsent for item in items] == [True, False, True]
    assert (items[2].errors, items[0].errors) == ((replace(WRONG, field=["input"]),), ())
    assert taken_on(placed, 0, "c3", tries=2)
    found = bulks.items(placed, BULK)[0]
    assert found.kept is not None
    assert (found.tries, found.kept.command.ref.native) == (2, "c3")


def test_only_what_is_of_no_bulk_makes_it_hurry(placed: Engine) -> None:
    assert taken_on(placed, 0, "c0")
    assert bulks.waited_behind(placed, "acme", ["m1"]) == set()
    change(placed, lambda ledger: ledger.place(intent("alone", key="alone")))
    assert bulks.waited_behind(placed, "acme", ["m1", "m2"]) == {"m1"}
    assert bulks.waited_behind(placed, "acme", ["m2"]) == set()
