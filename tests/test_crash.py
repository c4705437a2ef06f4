"""A gateway that is killed in the midst of a flood: what it answered 200 is there, and nothing is there twice."""

from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import Engine

from journal import log
from journal.store import open_store
from tests.gateways import Flood, Served, config, counted, serving, without_repeats
from tests.journals import identities

TIMES = 10


def kept(store: Engine) -> list[str]:
    page = log.after(store, 0, 1_000_000)
    assert [entry.seq for entry in page.entries] == list(range(1, page.until + 1))
    return identities(page.entries)


def enough(least: int, served: Served, flood: Flood) -> bool:
    """Kills it after so many answers, while others are under way; then no more come."""
    if len(flood.statuses) >= least:
        served.process.process.kill()
    return False


@pytest.mark.timeout(180)  # of ten starts on a machine that has other things to do
async def test_killed_ten_times_it_loses_nothing_and_repeats_nothing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/vendgraph.db"
    text, random = config(url), Random(7)  # noqa: S311  it only varies when
    taken: set[str] = set()
    doubtful: list[dict[str, Any]] = []
    store = open_store(url)
    for at in range(TIMES):
        with serving(tmp_path / str(at), text) as served:
            flood = Flood(served.gateway.base, doubtful=doubtful)
            await flood.again()
            least = len(flood.statuses) + random.randrange(20, 120)

            await flood.run(partial(enough, least, served))
        assert len(flood.statuses) >= least
        assert set(flood.statuses) == {200}
        taken |= flood.taken
        doubtful = flood.doubtful
        assert doubtful
        assert taken <= without_repeats(kept(store))
    with serving(tmp_path / "last", text) as served:
        last = Flood(served.gateway.base, doubtful=doubtful)
        await last.again()
        assert without_repeats(kept(store)) == taken | last.taken
        assert counted(served.gateway)["accepted"] == len(kept(store))
        assert served.process.stop() == 0
    store.dispose()
