"""`make bench`: eight tables of one run. Read the ratios; the absolute numbers are this machine's."""

import time

from bench import changed, cold, deliveries, fanout, machine, reports, road, stalls, warm


def main() -> None:
    started = time.perf_counter()
    print(machine.described(), end="\n\n")
    cold.main()
    print()
    warm.main()
    print()
    road.main()
    print()
    changed.main()
    print()
    deliveries.main()
    print()
    fanout.main()
    print()
    reports.main()
    print()
    stalls.main()
    print(f"\nTook {time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
