"""`make bench-peers`: all side by side. `--quick` for a smoke test, `--write FILE` for the page of the last run."""

import argparse
import time

from bench import pages
from bench.peers import run, tables

BEGIN, END = "<!-- the last run -->", "<!-- the end of the last run -->"


def main() -> None:
    asked = argparse.ArgumentParser(prog="python -m bench.peers", description=__doc__)
    asked.add_argument("--quick", action="store_true", help="one short round of each: says that it works, not how fast")
    pages.takes_a_page(asked)
    given = asked.parse_args()
    began = time.perf_counter()
    found = run.run(run.QUICK if given.quick else run.USUAL)
    told = f"{tables.page(found)}\n\nTook {time.perf_counter() - began:.0f} s."
    pages.show(told, given.write, BEGIN, END)


if __name__ == "__main__":
    main()
