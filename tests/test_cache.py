"""The shared cache: one flight per key, fresh for so long, and the last good value when the vendor fails."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.errors import VendorError, VendorUnavailable
from resolvers.cache import KEPT, Cache, Cached, Tally, tally
from tests.scripted import Clock

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
PATIENT = 5.0


def down(why: str = "down") -> VendorUnavailable:
    return VendorUnavailable(why, account="acme-kiosks", vendor="livello")


class Vendor:
    """Answers each key with a number that counts up, when it may; keeps what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.open = asyncio.Event()
        self.open.set()
        self.error: Exception | None = None
        self.refuses: frozenset[str] = frozenset()

    async def many(self, keys: Sequence[str]) -> Mapping[str, int | VendorError]:
        self.asked.append(list(keys))
        number = len(self.asked)
        await self.open.wait()
        if self.error is not None:
            raise self.error
        return {key: down() if key in self.refuses else number for key in keys}

    async def one(self) -> int:
        found = (await self.many(["key"]))["key"]
        assert isinstance(found, int)
        return found


class Shelf:
    def __init__(self, *, ttl: float = 10.0, size: int = 100) -> None:
        self.clock = Clock()
        self.vendor = Vendor()
        self.cache: Cache[str, int] = Cache(
            ttl=ttl,
            size=size,
            late=lambda seconds: down(f"late after {seconds}"),
            clock=self.clock,
            now=lambda: NOON + timedelta(seconds=self.clock.seconds),
        )

    async def get(self, patience: float = PATIENT) -> Cached[int]:
        return await self.cache.get("key", self.vendor.one, patience)

    async def many(self, *keys: str, **how: Any) -> dict[str, Cached[int] | VendorError]:
        return await self.cache.get_many(keys, self.vendor.many, PATIENT, **how)


async def test_what_was_told_is_fresh_for_its_time_and_then_asked_for_again() -> None:
    shelf = Shelf(ttl=10)
    assert (await shelf.get()).value == 1
    shelf.clock.seconds += 9.9
    assert (await shelf.get()).value == 1
    assert shelf.cache.peek("key") == 1
    shelf.clock.seconds += 0.1
    assert shelf.cache.peek("key") is None
    assert (await shelf.get()).value == 2


async def test_however_many_ask_there_is_one_flight() -> None:
    shelf = Shelf(ttl=0)
    shelf.vendor.open.clear()
    callers = [asyncio.create_task(shelf.get()) for _ in range(40)]
    await asyncio.sleep(0)
    shelf.vendor.open.set()
    assert {found.value for found in await asyncio.gather(*callers)} == {1}
    assert len(shelf.vendor.asked) == 1


async def test_without_a_time_to_live_each_asks_anew() -> None:
    shelf = Shelf(ttl=0)
    assert [(await shelf.get()).value for _ in range(3)] == [1, 2, 3]


async def test_a_caller_that_gives_up_leaves_the_flight_to_the_others() -> None:
    shelf = Shelf()
    shelf.vendor.open.clear()
    first = asyncio.create_task(shelf.get())
    second = asyncio.create_task(shelf.get())
    await asyncio.sleep(0)
    first.cancel()
    shelf.vendor.open.set()
    assert (await second).value == 1
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_a_late_flight_is_an_error_to_who_waits_and_a_value_to_who_comes_later() -> None:
    shelf = Shelf()
    shelf.vendor.open.clear()
    with pytest.raises(VendorUnavailable, match="late"):
        await shelf.get(0.01)
    shelf.vendor.open.set()
    assert (await shelf.get()).value == 1
    assert len(shelf.vendor.asked) == 1


async def test_without_time_left_nothing_is_asked_for() -> None:
    shelf = Shelf()
    with pytest.raises(VendorUnavailable, match="late"):
        await shelf.get(0.0)
    assert shelf.vendor.asked == []
    assert (await shelf.get()).value == 1


async def test_the_last_good_value_stands_in_for_a_day_and_says_since_when() -> None:
    shelf = Shelf(ttl=10)
    told = await shelf.get()
    shelf.vendor.error = down()
    shelf.clock.seconds += KEPT
    stale = await shelf.get()
    assert (stale.value, stale.as_of, stale.error) == (1, told.as_of, shelf.vendor.error)
    shelf.clock.seconds += 0.1
    with pytest.raises(VendorUnavailable, match="down"):
        await shelf.get()


async def test_asking_in_vain_does_not_make_an_old_value_younger() -> None:
    shelf = Shelf(ttl=10)
    await shelf.get()
    shelf.vendor.error = down()
    for _ in range(25):
        shelf.cache.forget("key")
        shelf.clock.seconds += KEPT / 24
        await asyncio.gather(shelf.get(), return_exceptions=True)
    with pytest.raises(VendorUnavailable):
        await shelf.get()


async def test_the_last_good_value_stands_in_for_a_late_one() -> None:
    shelf = Shelf(ttl=10)
    await shelf.get()
    shelf.clock.seconds += 11
    shelf.vendor.open.clear()
    stale = await shelf.get(0.01)
    assert stale.value == 1
    assert stale.error is not None
    shelf.vendor.open.set()


async def test_what_is_forgotten_is_asked_for_again_and_remains_the_last_good_value() -> None:
    shelf = Shelf(ttl=1000)
    await shelf.get()
    shelf.cache.forget("key")
    shelf.cache.forget("never there")
    assert shelf.cache.peek("key") is None
    shelf.vendor.error = down()
    assert (await shelf.get()).value == 1
    shelf.vendor.error = None
    assert (await shelf.get()).value == 3


async def test_everyone_is_told_the_time_of_the_answer_and_not_of_the_question() -> None:
    shelf = Shelf(ttl=1000)
    shelf.vendor.open.clear()
    first = asyncio.create_task(shelf.get())
    await asyncio.sleep(0)
    shelf.clock.seconds += 3
    answered = NOON + timedelta(seconds=shelf.clock.seconds)
    shelf.vendor.open.set()
    assert (await first).as_of == answered
    shelf.clock.seconds += 3
    assert (await shelf.get()).as_of == answered


async def test_a_fault_of_our_own_reaches_everyone_who_waits_and_is_not_kept() -> None:
    shelf = Shelf()
    shelf.vendor.error = ZeroDivisionError("ours")
    found = await asyncio.gather(shelf.get(), shelf.get(), return_exceptions=True)
    assert [type(one) for one in found] == [ZeroDivisionError, ZeroDivisionError]
    shelf.vendor.error = None
    assert (await shelf.get()).value == 2


async def test_keys_that_are_missing_are_loaded_together_and_the_others_are_not() -> None:
    shelf = Shelf()
    await shelf.many("a", "b")
    await shelf.many("b", "c", "d", "c")
    assert shelf.vendor.asked == [["a", "b"], ["c", "d"]]


async def test_one_keys_error_is_that_keys_alone() -> None:
    shelf = Shelf()
    shelf.vendor.refuses = frozenset("b")
    found = await shelf.many("a", "b")
    assert isinstance(found["a"], Cached)
    assert isinstance(found["b"], VendorError)


async def test_a_key_waits_for_none_that_it_is_not_loaded_with() -> None:
    shelf = Shelf()
    slow = asyncio.Event()

    async def load(keys: Sequence[str]) -> Mapping[str, int | VendorError]:
        if "slow" in keys:
            await slow.wait()
        return dict.fromkeys(keys, 1)

    found = await shelf.cache.get_many(["a", "slow", "b"], load, 0.05, at_once=1)
    assert {key for key, one in found.items() if isinstance(one, Cached)} == {"a", "b"}
    slow.set()


async def test_a_loader_that_leaves_a_key_out_is_at_fault() -> None:
    shelf = Shelf()

    async def load(_: Sequence[str]) -> Mapping[str, int | VendorError]:
        return {}

    with pytest.raises(KeyError, match="left a key out"):
        await shelf.cache.get_many(["a"], load, PATIENT)


async def test_no_more_is_kept_than_its_size() -> None:
    shelf = Shelf(size=3)
    await shelf.many(*"abcdef")
    assert len(shelf.cache) == 3
    assert [key for key in "abcdef" if shelf.cache.peek(key) is not None] == list("def")


async def test_what_was_told_by_the_way_need_not_be_asked_for() -> None:
    shelf = Shelf(ttl=10)
    shelf.cache.put("key", 7)
    assert (await shelf.get()).value == 7
    assert shelf.vendor.asked == []


async def test_what_comes_from_the_cache_is_counted_for_the_request() -> None:
    shelf = Shelf()
    counting = Tally()
    tally.set(counting)
    await shelf.get()
    assert counting.hits == 0
    await shelf.get()
    shelf.cache.peek("key")
    await shelf.many("key", "other")
    assert counting.hits == 3


async def test_closing_ends_what_is_in_flight() -> None:
    shelf = Shelf()
    shelf.vendor.open.clear()
    waiting = asyncio.create_task(shelf.get())
    await asyncio.sleep(0)
    await shelf.cache.aclose()
    with pytest.raises(asyncio.CancelledError):
        await waiting
