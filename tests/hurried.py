"""An event loop whose time passes only when nobody has anything to do, and then at once.

For stories that take minutes, of things that wait for one another and never for the world outside."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Hurried(asyncio.SelectorEventLoop):
    _now = 0.0

    def time(self) -> float:
        return self._now

    def _run_once(self) -> None:
        loop: Any = self
        if not loop._ready:
            waiting = [timer.when() for timer in loop._scheduled if not timer.cancelled()]
            self._now = max(self._now, min(waiting, default=self._now))
        super()._run_once()  # type: ignore[misc]  # it is what an event loop is made of


def hurry(story: Coroutine[Any, Any, T]) -> T:
    with asyncio.Runner(loop_factory=Hurried) as runner:
        return runner.run(story)


def now() -> float:
    return asyncio.get_running_loop().time()
