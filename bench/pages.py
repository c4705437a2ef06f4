"""Tables of a benchmark, and where a page shows its last run: between two markers."""

import re
from collections.abc import Iterable, Sequence


def replaced(page: str, told: str, begin: str, end: str) -> str:
    """Raises ValueError where the page has no place for it."""
    found, count = re.subn(f"{begin}.*{end}", lambda _: f"{begin}\n\n{told}\n\n{end}", page, flags=re.DOTALL)
    if count != 1:
        raise ValueError("the page has no two markers")
    return found


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [titles, ["---", *["---:"] * (len(titles) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
