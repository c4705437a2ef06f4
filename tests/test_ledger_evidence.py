"""Which sale proves a command, on both stores: one that fits it alone, and that it alone fits."""

from datetime import timedelta
from decimal import Decimal
from functools import partial

import pytest
from sqlalchemy import Engine

from domain.commands import CommandStatus
from domain.facts import Fact, FactKind
from domain.money import Money
from domain.orders import SendDeposit
from journal import commands as reading
from journal import log
from journal.contradictions import DOUBTED
from journal.evidence import BEFORE, WINDOW
from journal.ledger import Ledger
from tests.ledgers import at, change, deposited, fits, intent, kept, now, read_back, sent, settled, told, unknown

STATUS = CommandStatus
SECONDS, MINUTES = BEFORE.total_seconds(), WINDOW.total_seconds()


@pytest.fixture
def store(emptied_store: Engine) -> Engine:
    return emptied_store


def prove(engine: Engine, native: str = "c1") -> CommandStatus:
    change(engine, partial(Ledger.prove, native=native, fits=fits, at=at(5000)))
    return now(engine, native).status


def of(machine: str) -> SendDeposit:
    return SendDeposit(machine=machine, amount=Money(Decimal("1.50"), "EUR"))


def test_the_one_sale_that_fits_proves_it(store: Engine) -> None:
    unknown(store, "c1")
    assert prove(store) is STATUS.UNKNOWN
    told(store, deposited("s1", at=at(60)), deposited("other", Money(Decimal("1.51"), "EUR"), at=at(60)), seconds=61)
    assert prove(store) is STATUS.SUCCEEDED
    found = now(store, "c1")
    assert found.evidence_ref is not None
    assert (found.evidence_ref.native, found.completed_at) == ("s1", at(5000))
    assert kept(store, "c1").until is None
    assert prove(store) is STATUS.SUCCEEDED
    assert len(found.history) == len(now(store, "c1").history)


def test_a_sale_counts_within_a_window(store: Engine) -> None:
    for machine, seconds, status in (
        ("long before", -SECONDS - 0.1, STATUS.UNKNOWN),
        ("before", -SECONDS, STATUS.SUCCEEDED),
        ("at once", 0, STATUS.SUCCEEDED),
        ("late", MINUTES, STATUS.SUCCEEDED),
        ("too late", MINUTES + 0.1, STATUS.UNKNOWN),
    ):
        unknown(store, machine, order=of(machine))
        told(store, deposited(machine, at=at(seconds), machine=machine), seconds=MINUTES + 60)
        assert prove(store, machine) is status, machine


def test_what_leaves_a_doubt_proves_nothing(store: Engine) -> None:
    """Two sales; a sale of another machine; two commands; one that was never sent."""
    unknown(store, "c1")
    told(store, deposited("s1", at=at(1)), deposited("s2", at=at(2)), seconds=3)
    assert prove(store) is STATUS.UNKNOWN
    unknown(store, "c2", order=of("m2"))
    told(store, deposited("s3", at=at(1), machine="m3"), seconds=3)
    assert prove(store, "c2") is STATUS.UNKNOWN
    unknown(store, "c4", order=of("m4"))
    unknown(store, "c5", order=of("m4"), seconds=1, acknowledged=now(store, "c4").id)
    told(store, deposited("s4", at=at(2), machine="m4"), seconds=3)
    assert (prove(store, "c4"), prove(store, "c5")) == (STATUS.UNKNOWN, STATUS.UNKNOWN)
    change(store, lambda ledger: ledger.place(intent("c6", order=of("m6"))))
    settled(store, "c6", STATUS.UNKNOWN)
    told(store, deposited("s6", at=at(2), machine="m6"), seconds=3)
    assert prove(store, "c6") is STATUS.UNKNOWN


def test_a_rival_is_whatever_the_sale_may_be_of(store: Engine) -> None:
    for rival in (STATUS.SENT, STATUS.ACKNOWLEDGED, STATUS.SUCCEEDED, STATUS.FAILED):
        native, order = rival.value, of(rival.value)
        unknown(store, native, order=order)
        sent(store, f"{native} rival", order=order, seconds=1, acknowledged=now(store, native).id)
        settled(store, f"{native} rival", rival, seconds=2)
        told(store, deposited(native, at=at(3), machine=order.machine), seconds=4)
        assert prove(store, native) is (STATUS.SUCCEEDED if rival is STATUS.FAILED else STATUS.UNKNOWN), rival


def test_who_has_a_sale_of_its_own_is_no_rival(store: Engine) -> None:
    unknown(store, "c1")
    told(store, deposited("s1", at=at(1)), seconds=2)
    assert prove(store) is STATUS.SUCCEEDED
    unknown(store, "c2", seconds=60)
    told(store, deposited("s2", at=at(61)), seconds=62)
    assert prove(store, "c2") is STATUS.SUCCEEDED
    evidence = [now(store, native).evidence_ref for native in ("c1", "c2")]
    assert [one.native for one in evidence if one is not None] == ["s1", "s2"]


def test_one_sale_proves_one(store: Engine) -> None:
    unknown(store, "c1")
    told(store, deposited("s1", at=at(30)), seconds=31)
    assert prove(store) is STATUS.SUCCEEDED
    unknown(store, "c2", seconds=31)
    assert prove(store, "c2") is STATUS.UNKNOWN


# ---- doubts


def doubts(engine: Engine, fact: Fact) -> int:
    """How many events there are once a sale was told and looked at twice."""
    told(engine, fact, seconds=100)
    for _ in range(2):
        change(engine, partial(Ledger.doubt, native="c1", fits=fits, at=at(5000)))
    return len([one for one in log.after(engine, 0, 1000).entries if one.kind is FactKind.EVENT])


def test_what_a_person_told_to_have_failed_is_doubted_for_a_while(store: Engine) -> None:
    unknown(store, "c1")
    before = read_back(settled(store, "c1", STATUS.FAILED, seconds=10, reason="so they say"))
    ends = (at(10) + DOUBTED).timestamp()
    assert [one.command for one in reading.doubtful(store, ends - 1)] == [before]
    assert reading.doubtful(store, ends + 1) == []
    assert doubts(store, deposited("other", at=at(5), machine="m2")) == 0
    assert doubts(store, deposited("s1", at=at(5))) == 1
    assert reading.doubtful(store, at(20).timestamp()) == []
    assert now(store, "c1") == before


def test_what_the_vendor_told_is_not_doubted(store: Engine) -> None:
    sent(store, "c1")
    settled(store, "c1", STATUS.FAILED)
    assert reading.doubtful(store, (at(0) - timedelta(days=1)).timestamp()) == []
    unknown(store, "c2", seconds=3600)
    settled(store, "c2", STATUS.SUCCEEDED, seconds=3601, reason="so they say")
    assert reading.doubtful(store, (at(0) - timedelta(days=1)).timestamp()) == []
