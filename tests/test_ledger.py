"""The ledger on both stores: placed once, sent by one, and settled once; and words that come early."""

import asyncio
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Engine

from domain.commands import Command, CommandStage, CommandStatus, Progress
from domain.errors import Conflict, Forbidden, RateLimited
from domain.facts import FactKind
from domain.model import MachineEvent
from journal import log
from journal.contradictions import CONTRADICTED
from journal.ledger import Ledger
from journal.quotas import Quota
from journal.writer import Writer
from tests.journals import report, writer
from tests.ledgers import (
    UNTIL,
    at,
    change,
    configuring,
    counts,
    group,
    intent,
    kept,
    now,
    opening,
    read_back,
    sent,
    settled,
    told,
    unknown,
    word,
)

STATUS = CommandStatus
ACKNOWLEDGED = Progress(status=STATUS.ACKNOWLEDGED)


@pytest.fixture
def store(emptied_store: Engine) -> Engine:
    return emptied_store


def place(engine: Engine, native: str, **asked: Any) -> tuple[str, bool]:
    """The id of the command that it came to, and whether it is new."""
    command, new = change(engine, lambda ledger: ledger.place(intent(native, **asked)))
    return command.ref.native, new


def statuses(engine: Engine, native: str) -> list[CommandStatus]:
    return [step.status for step in now(engine, native).history]


def take(engine: Engine, native: str = "c1", *, seconds: float = 9.0, vendor_id: str = "v1") -> CommandStatus:
    taking = partial(Ledger.take, native=native, vendor_id=vendor_id, progress=ACKNOWLEDGED, due=99.0, at=at(seconds))
    return change(engine, taking).status


# ---- placing


def test_a_key_is_placed_once(store: Engine) -> None:
    assert place(store, "c1", key="k") == ("c1", True)
    assert place(store, "c2", key="k") == ("c1", False)
    with pytest.raises(Conflict, match="used before"):
        place(store, "c3", key="k", fingerprint="another")
    assert place(store, "c4", key="k", organization="other") == ("c4", True)
    assert counts(store) == (2, 2, 2)
    assert now(store, "c1") == read_back(intent("c1", key="k").command)


def test_what_is_refused_leaves_nothing_behind(store: Engine) -> None:
    quotas = [Quota(amount_per_command=Decimal(1)), Quota(requested_by="me", commands_per_hour=1)]
    with pytest.raises(Forbidden):
        place(store, "c1", quotas=quotas)
    assert counts(store) == (0, 0, 0)
    assert place(store, "c2", quotas=quotas[1:]) == ("c2", True)
    with pytest.raises(RateLimited):
        place(store, "c3", quotas=quotas[1:], seconds=3599.0)
    assert place(store, "c4", quotas=quotas[1:], seconds=3601.0) == ("c4", True)


def test_what_fails_in_a_group_fails_alone(store: Engine) -> None:
    with group(store) as together:
        together.change(lambda ledger: ledger.place(intent("c1", key="k")))
        with pytest.raises(Conflict):
            together.change(lambda ledger: ledger.place(intent("c2", key="k", fingerprint="another")))
        together.change(lambda ledger: ledger.place(intent("c3")))
    assert counts(store) == (2, 2, 2)
    assert [one.seq for one in log.after(store, 0, 10).entries] == [1, 2]


async def test_of_many_writers_with_one_key_one_places_it(store: Engine) -> None:
    def placing(native: str) -> "partial[tuple[Command, bool]]":
        return partial(Ledger.place, intent=intent(native, key="k"))

    with writer(store) as one, writer(store) as other:
        at_once = [(one, other)[number % 2].change(placing(f"c{number}")) for number in range(20)]
        found = await asyncio.gather(*at_once)
    assert [new for _, new in found].count(True) == 1
    assert counts(store) == (1, 1, 1)


# ---- sending


def test_it_is_claimed_once_by_who_took_it_on(store: Engine) -> None:
    place(store, "c1")
    for attempt in (0, 2):
        assert change(store, partial(Ledger.claim, native="c1", attempt=attempt, until=UNTIL, at=at(1))) is None
    assert change(store, lambda ledger: ledger.claim("c1", 1, UNTIL, at(2))) is not None
    assert change(store, lambda ledger: ledger.claim("c1", 1, UNTIL, at(3))) is None
    assert change(store, lambda ledger: ledger.claim("no", 1, UNTIL, at(3))) is None
    assert (kept(store, "c1").sent_at, statuses(store, "c1")) == (at(2), [STATUS.PENDING, STATUS.SENT])


def test_who_was_stopped_finds_that_another_took_over(store: Engine) -> None:
    place(store, "c1")
    taken = change(store, lambda ledger: ledger.take_over("c1", 1, "other", UNTIL + 5))
    assert taken is not None
    assert (taken.attempt, taken.owner, taken.until) == (2, "other", UNTIL + 5)
    assert change(store, lambda ledger: ledger.take_over("c1", 1, "third", UNTIL)) is None
    assert not change(store, lambda ledger: ledger.hold("c1", 1, UNTIL + 9))
    assert change(store, lambda ledger: ledger.claim("c1", 1, UNTIL, at(1))) is None
    settled(store, "c1", STATUS.FAILED, attempt=1)
    assert statuses(store, "c1") == [STATUS.PENDING]
    assert change(store, lambda ledger: ledger.hold("c1", 2, UNTIL + 9))
    assert kept(store, "c1").until == UNTIL + 9
    assert change(store, lambda ledger: ledger.claim("c1", 2, UNTIL, at(2))) is not None
    settled(store, "c1", STATUS.SUCCEEDED, attempt=2)
    assert statuses(store, "c1") == [STATUS.PENDING, STATUS.SENT, STATUS.SUCCEEDED]


def test_what_was_sent_is_taken_over_by_nobody(store: Engine) -> None:
    sent(store, "c1")
    assert change(store, lambda ledger: ledger.take_over("c1", 1, "other", UNTIL)) is None
    settled(store, "c1", STATUS.UNKNOWN)
    assert change(store, lambda ledger: ledger.take_over("c1", 1, "other", UNTIL)) is None
    assert change(store, lambda ledger: ledger.claim("c1", 1, UNTIL, at(1))) is None
    assert not change(store, lambda ledger: ledger.hold("c1", 1, UNTIL + 9))


async def test_of_many_who_reach_for_it_at_once_one_sends_it(store: Engine) -> None:
    place(store, "c1")
    with writer(store) as one, writer(store) as other:

        async def reach(by: Writer) -> object:
            taken = await by.change(lambda ledger: ledger.take_over("c1", 1, "somebody", UNTIL))
            if taken is None:
                return await by.change(lambda ledger: ledger.claim("c1", 1, UNTIL, at(1)))
            return await by.change(lambda ledger: ledger.claim("c1", taken.attempt, UNTIL, at(1)))

        found = await asyncio.gather(*(reach((one, other)[number % 2]) for number in range(12)))
    assert len([one for one in found if one is not None]) == 1


# ---- words


def test_words_before_the_answer_count_when_it_is_here(store: Engine) -> None:
    sent(store, "c1", order=opening())
    told(store, word("closed", seconds=2), seconds=2)
    told(store, word("unlocked", seconds=1), word("unlocked", vendor_id="v2"), seconds=3)
    told(store, word("failed", machine="m2"), seconds=3)
    assert take(store) is STATUS.ACKNOWLEDGED
    found = now(store, "c1")
    assert [step.stage for step in found.history][2:] == [None, CommandStage.UNLOCKED, CommandStage.CLOSED]
    assert (found.stage, kept(store, "c1").vendor_id, kept(store, "c1").until) == (CommandStage.CLOSED, "v1", 99.0)
    told(store, word("inventory", seconds=10), seconds=10)
    assert now(store, "c1").status is STATUS.SUCCEEDED


def test_the_last_word_may_be_there_before_the_answer(store: Engine) -> None:
    sent(store, "c1", order=opening())
    told(store, word("inventory", seconds=1), seconds=1)
    assert take(store) is STATUS.SUCCEEDED
    assert statuses(store, "c1")[-2:] == [STATUS.ACKNOWLEDGED, STATUS.SUCCEEDED]
    assert kept(store, "c1").until is None


@pytest.mark.parametrize("first", ["word", "answer"])
def test_a_word_and_the_answer_may_be_written_together(store: Engine, first: str) -> None:
    sent(store, "c1", order=opening())
    one = report(word("inventory", seconds=1), at=at(1))
    taking = partial(Ledger.take, native="c1", vendor_id="v1", progress=ACKNOWLEDGED, due=99.0, at=at(2))
    with group(store, one) as together:
        for what in ("word", "answer") if first == "word" else ("answer", "word"):
            together.add(one) if what == "word" else together.change(taking)
    assert now(store, "c1").status is STATUS.SUCCEEDED


def test_a_word_that_a_gateway_with_another_clock_heard_counts_too(store: Engine) -> None:
    """It comes after the command, and by that gateway's clock before it."""
    sent(store, "c1", order=opening(), seconds=5)
    told(store, word("inventory", seconds=1), seconds=1)
    assert take(store) is STATUS.SUCCEEDED


def test_an_answer_that_came_after_all_is_taken(store: Engine) -> None:
    unknown(store, "c1", order=opening())
    assert take(store) is STATUS.ACKNOWLEDGED
    told(store, word("inventory"), seconds=10)
    assert statuses(store, "c1")[2:] == [STATUS.UNKNOWN, STATUS.ACKNOWLEDGED, STATUS.SUCCEEDED]


def test_what_ended_meanwhile_is_not_taken_up_again(store: Engine) -> None:
    unknown(store, "c1", order=opening())
    settled(store, "c1", STATUS.FAILED, reason="nobody was there")
    assert take(store) is STATUS.FAILED
    told(store, word("inventory"), seconds=10)
    assert now(store, "c1").status is STATUS.FAILED


def test_a_word_of_two_commands_is_of_neither(store: Engine) -> None:
    """A vendor that gives one id twice must not make its own reports fail."""
    for native in ("c1", "c2"):
        sent(store, native, order=opening())
        take(store, native)
    told(store, word("inventory"), seconds=10)
    assert {now(store, native).status for native in ("c1", "c2")} == {STATUS.ACKNOWLEDGED}


def test_what_contradicts_the_end_is_told_once(store: Engine) -> None:
    sent(store, "c1", order=opening())
    take(store)
    told(store, word("failed"), seconds=10)
    before = now(store, "c1")
    assert before.error == "it failed"
    for seconds in (11, 12):
        told(store, replace(word("inventory"), identity=str(seconds)), seconds=seconds)
    assert now(store, "c1") == before
    events = [one.content for one in log.after(store, 0, 100).entries if one.kind is FactKind.EVENT]
    assert [one.code for one in events if isinstance(one, MachineEvent)] == [CONTRADICTED]


# ---- its end


def test_only_what_is_not_known_is_a_persons_to_resolve(store: Engine) -> None:
    sent(store, "c1")
    for status in (None, STATUS.ACKNOWLEDGED, STATUS.SUCCEEDED):
        if status is not None:
            settled(store, "c1", status)
        before = counts(store)
        with pytest.raises(Conflict, match=(status or STATUS.SENT).value):
            settled(store, "c1", STATUS.FAILED, reason="so they say")
        assert counts(store) == before
    unknown(store, "c2")
    assert settled(store, "c2", STATUS.FAILED, reason="so they say").status is STATUS.FAILED


def test_secrets_are_forgotten_at_the_end_and_not_before(store: Engine) -> None:
    unknown(store, "c1", order=configuring("hush"))
    assert kept(store, "c1").order == configuring("hush")
    settled(store, "c1", STATUS.SUCCEEDED)
    assert kept(store, "c1").order is None
    unknown(store, "c2", order=opening())
    settled(store, "c2", STATUS.SUCCEEDED)
    assert kept(store, "c2").order == opening()


def test_every_step_is_an_entry_and_every_end_a_record(store: Engine) -> None:
    unknown(store, "c1")
    settled(store, "c1", STATUS.UNKNOWN)
    settled(store, "c1", STATUS.SUCCEEDED)
    settled(store, "c1", STATUS.SUCCEEDED)
    assert counts(store) == (1, 4, 3)
    told_ = [one.content for one in log.after(store, 0, 10).entries]
    assert told_[-1] == now(store, "c1")
