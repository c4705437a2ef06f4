"""Every vendor there is. Without its lines here, and its folder, a vendor is gone."""

from collections.abc import Callable, Mapping

import httpx2

from connectors import eatmachine, livello, smartepi, smartvend, vendnovation
from connectors.base import Account, Connector
from connectors.smartepi.hooks import signing
from connectors.smartvend.hooks import public_keys
from domain.model import Vendor

CONNECT: Mapping[Vendor, Callable[[Account, httpx2.AsyncClient], Connector]] = {
    Vendor.SMARTVEND: smartvend.connect,
    Vendor.LIVELLO: livello.connect,
    Vendor.VENDNOVATION: vendnovation.connect,
    Vendor.SMARTEPI: smartepi.connect,
    Vendor.EATMACHINE: eatmachine.connect,
}

# Whose webhook credentials have a form to check: raises ValueError with what is wrong with an account's.
CHECK_WEBHOOK: Mapping[Vendor, Callable[[Account], object]] = {
    Vendor.SMARTVEND: public_keys,
    Vendor.SMARTEPI: signing,
}
