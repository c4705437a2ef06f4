"""Every vendor there is. Without its lines here, and its folder, a vendor is gone."""

from collections.abc import Callable, Mapping

import httpx2

from connectors import eatmachine, livello, smartepi, smartvend, vendnovation
from connectors.base import Account, Connector
from connectors.eatmachine.client import OPERATIONS as EATMACHINE
from connectors.livello.client import OPERATIONS as LIVELLO
from connectors.operations import Operation
from connectors.smartepi.client import OPERATIONS as SMARTEPI
from connectors.smartepi.hooks import signing
from connectors.smartvend.client import OPERATIONS as SMARTVEND
from connectors.smartvend.hooks import public_keys
from connectors.vendnovation.client import OPERATIONS as VENDNOVATION
from domain.model import Vendor

CONNECT: Mapping[Vendor, Callable[[Account, httpx2.AsyncClient], Connector]] = {
    Vendor.SMARTVEND: smartvend.connect,
    Vendor.LIVELLO: livello.connect,
    Vendor.VENDNOVATION: vendnovation.connect,
    Vendor.SMARTEPI: smartepi.connect,
    Vendor.EATMACHINE: eatmachine.connect,
}

OPERATIONS: Mapping[Vendor, Mapping[str, Operation]] = {
    Vendor.SMARTVEND: SMARTVEND,
    Vendor.LIVELLO: LIVELLO,
    Vendor.VENDNOVATION: VENDNOVATION,
    Vendor.SMARTEPI: SMARTEPI,
    Vendor.EATMACHINE: EATMACHINE,
}

# Whose webhook credentials have a form to check: raises ValueError with what is wrong with an account's.
CHECK_WEBHOOK: Mapping[Vendor, Callable[[Account], object]] = {
    Vendor.SMARTVEND: public_keys,
    Vendor.SMARTEPI: signing,
}
