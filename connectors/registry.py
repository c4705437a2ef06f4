"""Every vendor there is. Without its line here, and its folder, a vendor is gone."""

from collections.abc import Callable, Mapping

import httpx2

from connectors import eatmachine, livello, smartepi, smartvend, vendnovation
from connectors.base import Account, Connector
from domain.model import Vendor

CONNECT: Mapping[Vendor, Callable[[Account, httpx2.AsyncClient], Connector]] = {
    Vendor.SMARTVEND: smartvend.connect,
    Vendor.LIVELLO: livello.connect,
    Vendor.VENDNOVATION: vendnovation.connect,
    Vendor.SMARTEPI: smartepi.connect,
    Vendor.EATMACHINE: eatmachine.connect,
}
