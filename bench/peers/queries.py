"""What all are asked."""

from dataclasses import dataclass
from typing import Any

from bench.peers import fleet
from bench.queries import SALES, SLOTS


@dataclass(frozen=True, slots=True)
class Query:
    """`connections`: how many ask at once where the answer is kept."""

    name: str
    title: str
    text: str
    connections: int
    by_id: bool = False

    def variables(self, machine: str) -> dict[str, Any]:
        return {"id": machine} if self.by_id else {}


MACHINE = fleet.serial(16)  # the one that is asked for alone
QUERIES = (
    Query(
        "W1",
        "one machine with slots and products",
        f"query One($id: ID!) {{ machine(id: $id) {{ name serialNumber {SLOTS} }} }}",
        16,
        by_id=True,
    ),
    Query(
        "W2",
        "50 machines, four fields each",
        "{ machines(first: 50) { nodes { name vendor vendorId serialNumber } } }",
        16,
    ),
    Query(
        "W3",
        "50 machines with slots, products and their last 10 sales",
        f"{{ machines(first: 50) {{ nodes {{ name {SLOTS} {SALES} }} }} }}",
        4,
    ),
)
