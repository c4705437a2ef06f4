"""`make bench-peers`: all side by side. `--quick` for a smoke test, `--write FILE` for the page of the last run."""

import argparse
import time
from pathlib import Path

from bench.pages import replaced
from bench.peers import run, tables

BEGIN, END = "<!-- the last run -->", "<!-- the end of the last run -->"


def main() -> None:
    asked = argparse.ArgumentParser(prog="python -m bench.peers", description=__doc__)
    asked.add_argument("--quick", action="store_true", help="one short round of each: says that it works, not how fast")
    asked.add_argument("--write", type=Path, help="a page with two markers, between which the tables go")
    given = asked.parse_args()
    began = time.perf_counter()
    found = run.run(run.QUICK if given.quick else run.USUAL)
    told = f"{tables.page(found)}\n\nTook {time.perf_counter() - began:.0f} s."
    print(told)
    if given.write is not None:
        given.write.write_text(replaced(given.write.read_text(encoding="utf-8"), told, BEGIN, END), encoding="utf-8")


if __name__ == "__main__":
    main()
