"""Leases and watermarks: one at a time, another takes over, and who was stopped meanwhile does no harm."""

import threading
from datetime import timedelta

from sqlalchemy import Engine

from domain.facts import FactKind
from journal import reports
from journal.leases import acquire, release
from journal.reports import Watermark
from tests.journals import AT


def test_one_holds_it_at_a_time(store: Engine) -> None:
    assert acquire(store, "feed", "a", 10, now=100)
    assert not acquire(store, "feed", "b", 10, now=105)
    assert acquire(store, "other", "b", 10, now=105)


def test_who_renews_it_keeps_it(store: Engine) -> None:
    assert acquire(store, "feed", "a", 10, now=100)
    assert acquire(store, "feed", "a", 10, now=109)
    assert not acquire(store, "feed", "b", 10, now=115)
    assert acquire(store, "feed", "b", 10, now=119.5)


def test_another_takes_over_and_who_was_stopped_notices(store: Engine) -> None:
    assert acquire(store, "feed", "a", 10, now=100)
    assert acquire(store, "feed", "b", 10, now=111)
    assert not acquire(store, "feed", "a", 10, now=112)
    release(store, "feed", "a")  # it is not its own any more
    assert not acquire(store, "feed", "a", 10, now=113)


def test_what_is_released_is_free_at_once(store: Engine) -> None:
    assert acquire(store, "feed", "a", 10, now=100)
    release(store, "feed", "a")
    assert acquire(store, "feed", "b", 10, now=100)


def test_of_many_who_reach_for_it_at_once_one_gets_it(store: Engine) -> None:
    held: list[str] = []
    together = threading.Barrier(8)

    def reach(owner: str) -> None:
        together.wait(10)
        if acquire(store, "feed", owner, 10, now=100):
            held.append(owner)

    threads = [threading.Thread(target=reach, args=(str(at),)) for at in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(held) == 1


def test_what_was_missed_is_not_forgotten_by_who_was_stopped(store: Engine) -> None:
    """Its mark goes back, so that more is read once more; that something was missed stays."""
    hour = timedelta(hours=1)
    reports.set_watermark(store, "acme", FactKind.SALE, Watermark(AT, None))
    reports.set_watermark(store, "acme", FactKind.SALE, Watermark(AT + 2 * hour, AT + hour))
    reports.set_watermark(store, "acme", FactKind.SALE, Watermark(AT + hour, AT))
    assert reports.watermark(store, "acme", FactKind.SALE) == Watermark(AT + hour, AT + hour)
    reports.set_watermark(store, "acme", FactKind.SALE, Watermark(AT + hour, None))
    reports.set_watermark(store, "acme", FactKind.EVENT, Watermark(AT, AT))
    assert reports.missed(store) == {"acme": AT + hour}
    assert reports.watermark(store, "other", FactKind.SALE) is None
