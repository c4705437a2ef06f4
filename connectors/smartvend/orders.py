"""What is asked of controllers: read first what it takes, then sent once; and what shows that it was done."""

from datetime import datetime, timedelta
from typing import Any

import orjson

from connectors.acting import Taken, VendorRequest
from connectors.base import Account
from connectors.parsing import readable, record, text, without
from connectors.smartvend import config, matrix
from connectors.smartvend import format as written
from connectors.smartvend.cash import collection
from connectors.smartvend.client import SmartVendClient
from connectors.smartvend.parse import SECRETS
from connectors.windows import NO_LIMIT
from domain.capabilities import Capability
from domain.errors import BadInput
from domain.money import Money
from domain.orders import (
    DispenseProduct,
    MachineOrder,
    Order,
    SendDeposit,
    SendRemotePayment,
    SetPrice,
    UpdateConfig,
    UpdatePlanogram,
)
from domain.refs import Kind
from domain.sales import PaymentMethod, Sale
from domain.times import Span

WITHIN = timedelta(minutes=1)  # of being asked for an encashment is recorded
ACTS = frozenset(
    {
        Capability.DISPENSE_PRODUCT,
        Capability.SEND_DEPOSIT,
        Capability.SEND_REMOTE_PAYMENT,
        Capability.COLLECT_CASH,
        Capability.SET_PRICE,
        Capability.UPDATE_PLANOGRAM,
        Capability.UPDATE_CONFIG,
    }
)


class Orders:
    def __init__(self, account: Account, client: SmartVendClient) -> None:
        self._account = account
        self._client = client

    def check(self, order: Order) -> None:
        match order:
            case SetPrice():
                matrix.price(order, self._account.currency)
            case UpdatePlanogram():
                matrix.cells(order, self._account.currency)
            case UpdateConfig():
                config.check(order.settings)
            case _:
                _unread(order, self._account.currency)

    async def prepare(self, order: Order) -> VendorRequest:
        request = await self._request(order)
        try:
            orjson.dumps(request.body)
        except orjson.JSONEncodeError:
            raise BadInput("the order holds a text that cannot be written down") from None
        return request

    async def _request(self, order: Order) -> VendorRequest:
        match order:
            case SetPrice():
                return await self._pricing(order)
            case UpdatePlanogram():
                return await self._planogram(order)
            case UpdateConfig():
                return await self._config(order)
        return _unread(order, self._account.currency)

    async def _pricing(self, order: SetPrice) -> VendorRequest:
        price = matrix.price(order, self._account.currency)
        body = matrix.priced(await self._matrix(order.machine), order.position, price)
        return VendorRequest(operation="update-controller-matrix", body=body)

    async def _planogram(self, order: UpdatePlanogram) -> VendorRequest:
        cells = matrix.cells(order, self._account.currency)
        if any(cell["productId"] is None for cell in cells) and await self._type(order.machine) != matrix.EMPTIES:
            raise BadInput("only an impulse machine has cells without a product: leave the cell out")
        body = matrix.replaced(await self._matrix(order.machine), order, cells)
        return VendorRequest(operation="update-controller-matrix", body=body)

    async def _config(self, order: UpdateConfig) -> VendorRequest:
        config.check(order.settings)
        body = config.changed(await self._held(order.machine), order.settings)
        return VendorRequest(operation="update-controller-config", body=body)

    async def send(self, request: VendorRequest) -> Taken:
        """Whoever is sent a secret may repeat it in words of his own: then none of his are shown."""
        private = written.masked(request.body) != request.body
        told = await self._client.order(request.operation, request.body, private=private)
        return Taken(done=True, result={"success": True} if private else without(told, SECRETS))

    def shown(self, request: VendorRequest) -> tuple[str, str, Any]:
        method, path = self._client.place(request.operation)
        return method, path, written.masked(request.body)

    async def fulfilled(self, order: Order) -> bool | None:
        match order:
            case SetPrice():
                price = matrix.price(order, self._account.currency)
                return matrix.shows_price(await self._matrix(order.machine), order.position, price)
            case UpdatePlanogram():
                cells = matrix.cells(order, self._account.currency)
                return matrix.shows_planogram(await self._matrix(order.machine), order, cells)
            case UpdateConfig():
                config.check(order.settings)
                return config.shows(await self._held(order.machine), order.settings)
            case MachineOrder() if order.kind is Capability.COLLECT_CASH and order.asked_at is not None:
                return await self._collected(order.machine, order.asked_at)
        return None

    async def _collected(self, machine: str, at: datetime) -> bool | None:
        """True where just one encashment was recorded then; that there is none yet proves nothing."""
        span = Span(at.replace(microsecond=0), at + WITHIN)
        raw = await self._client.window("get-encashments-list", "id", span, NO_LIMIT, frozenset({machine}))
        told = readable(self._account, "encashment", raw.rows or (), lambda row: collection(self._account, row))
        ref = self._account.to(Kind.MACHINE, machine)
        found = [one for one in told.items if one.machine_ref == ref and one.recorded_at in span]
        return True if len(found) == 1 else None

    async def _matrix(self, machine: str) -> written.Body:
        found = await self._client.matrix(machine)
        return record(self._account, "matrix", found, matrix.read)

    async def _held(self, machine: str) -> config.Held:
        return record(self._account, "config", await self._client.config(machine), config.read)

    async def _type(self, machine: str) -> str | None:
        rows = await self._client.controllers()
        found = (row.get("type") for row in rows if isinstance(row, dict) and text(row.get("id")) == machine)
        return text(next(found, None))


def _unread(order: Order, currency: str | None) -> VendorRequest:
    """For an order that holds all it takes."""
    match order:
        case DispenseProduct():
            return VendorRequest(operation="issue-product", body=written.dispense(order))
        case SendDeposit():
            return VendorRequest(operation="send-deposit-to-controller", body=written.deposit(order, currency))
        case SendRemotePayment():
            body = written.remote_payment(order, currency)
            return VendorRequest(operation="send-remote-payment-to-controller", body=body)
    if order.kind is not Capability.COLLECT_CASH or not isinstance(order, MachineOrder):
        raise BadInput(f"SmartVend has no request for {order.kind.value}")
    return VendorRequest(operation="create-encashment", body=written.encashment(order))


def shows(account: Account, order: Order, sale: Sale) -> bool:
    if not isinstance(order, MachineOrder) or sale.machine_ref != account.to(Kind.MACHINE, order.machine):
        return False
    match order:
        case DispenseProduct():
            return any(line.position == order.position for line in sale.lines)
        case SendDeposit():
            return _paid(sale, PaymentMethod.REMOTE_DEPOSIT, order.amount)
        case SendRemotePayment():
            return _paid(sale, PaymentMethod.REMOTE_PAYMENT, order.amount)
    return False


def _paid(sale: Sale, method: PaymentMethod, amount: Money) -> bool:
    return any(payment.method is method and payment.amount == amount for payment in sale.payments)
