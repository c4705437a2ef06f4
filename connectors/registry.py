"""Every vendor there is. Without its lines here, and its folder, a vendor is gone."""

from collections.abc import Callable, Mapping
from typing import Any

import httpx2

from connectors import eatmachine, livello, smartepi, smartvend, vendnovation
from connectors.base import Account, Connector
from connectors.drift import Checks, checks
from connectors.eatmachine import shapes as of_eatmachine
from connectors.eatmachine.client import OPERATIONS as EATMACHINE
from connectors.livello import shapes as of_livello
from connectors.livello.client import OPERATIONS as LIVELLO
from connectors.operations import Operation
from connectors.smartepi import shapes as of_smartepi
from connectors.smartepi.client import OPERATIONS as SMARTEPI
from connectors.smartepi.hooks import signing
from connectors.smartvend import shapes as of_smartvend
from connectors.smartvend.client import OPERATIONS as SMARTVEND
from connectors.smartvend.hooks import public_keys
from connectors.vendnovation import shapes as of_vendnovation
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

# What answers and deliveries are taken to look like.
CHECKS: Mapping[Vendor, Checks] = {
    Vendor.SMARTVEND: checks(of_smartvend.SHAPES),
    Vendor.LIVELLO: checks(of_livello.SHAPES),
    Vendor.VENDNOVATION: checks(of_vendnovation.SHAPES),
    Vendor.SMARTEPI: checks(of_smartepi.SHAPES),
    Vendor.EATMACHINE: checks(of_eatmachine.SHAPES),
}

# Under which name deliveries are compared, where there are any.
DELIVERED: Mapping[Vendor, Callable[[Any], str]] = {
    Vendor.SMARTVEND: of_smartvend.delivered,
    Vendor.SMARTEPI: of_smartepi.delivered,
    Vendor.EATMACHINE: of_eatmachine.delivered,
}
