"""Of every vendor: what is documented, and how the graph reaches it."""

from collections.abc import Mapping

from domain.model import Vendor
from tests.coverage import eatmachine, livello, smartepi, smartvend, vendnovation
from tests.coverage.reach import Reaches

REACHES: Mapping[Vendor, Reaches] = {
    Vendor.SMARTVEND: smartvend.REACHES,
    Vendor.LIVELLO: livello.REACHES,
    Vendor.VENDNOVATION: vendnovation.REACHES,
    Vendor.SMARTEPI: smartepi.REACHES,
    Vendor.EATMACHINE: eatmachine.REACHES,
}
COMMANDS: Mapping[Vendor, Reaches] = {Vendor.EATMACHINE: eatmachine.COMMANDS}
BY_HAND: Mapping[Vendor, Mapping[str, str]] = {Vendor.EATMACHINE: eatmachine.BY_HAND}
