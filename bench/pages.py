"""Tables of a benchmark, and where a page shows its last run: between two markers."""

import argparse
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench import machine


def takes_a_page(asked: argparse.ArgumentParser) -> None:
    asked.add_argument("--write", type=Path, help="a page with two markers, between which the tables go")


def show(told: str, page: Path | None, begin: str, end: str) -> None:
    """On standard output, and in the page that was asked for."""
    print(told)
    if page is not None:
        page.write_text(replaced(page.read_text(encoding="utf-8"), told, begin, end), encoding="utf-8")


def run_here() -> str:
    """When a run was, on what machine, and with which libraries."""
    ours, libraries = machine.described().splitlines()
    return f"Run on {datetime.now(UTC):%Y-%m-%d}: {ours}.\n{libraries}."


def replaced(page: str, told: str, begin: str, end: str) -> str:
    """Raises ValueError where the page has no place for it."""
    found, count = re.subn(f"{begin}.*{end}", lambda _: f"{begin}\n\n{told}\n\n{end}", page, flags=re.DOTALL)
    if count != 1:
        raise ValueError("the page has no two markers")
    return found


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [titles, ["---", *["---:"] * (len(titles) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
