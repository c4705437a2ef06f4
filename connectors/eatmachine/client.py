"""EatMachine over HTTP: who it is, and commands to fridges. The vendor lists nothing.

https://api.eatmachine.io"""

from typing import Any

import httpx2

from connectors.acting import VendorRequest
from connectors.base import Account
from connectors.guard import Traffic
from connectors.http import Operation, VendorHTTP, table
from connectors.login import Token, TokenLogin
from connectors.parsing import text
from domain.errors import VendorForbidden, VendorProtocolError, VendorUnauthorized

BASE_URL = "https://api.eatmachine.io"
AS_JSON = {"content-type": "application/json"}  # so the documents send a command, though it has no body


def _write(name: str, path: str) -> Operation:
    return Operation(name=name, method="POST", path=path, documented=True, traffic=Traffic.COMMAND, reads=False)


OPERATIONS = table(
    Operation(name="who-am-i", method="GET", path="/auth/me", documented=True),
    Operation(name="login", method="POST", path="/auth/login", documented=True),
    _write("create-fleet", "/fleets"),
    _write("create-fridge", "/fridges"),
    Operation(
        name="post-command",
        method="POST",
        path="/fridges/{uuid}/commands/{slug}",
        documented=True,
        traffic=Traffic.COMMAND,
        reads=False,
    ),
)


def explain(data: Any) -> str | None:
    """The message, and the names of the fields that are at fault; what is said of them may repeat what was sent."""
    if not isinstance(data, dict):
        return None
    fields = data.get("data")
    named = f"({', '.join(fields)})" if isinstance(fields, dict) and fields else None
    return " ".join(found for found in (text(data.get("message")), named) if found) or None


class EatMachineClient:
    """Returns raw answers."""

    def __init__(self, account: Account, client: httpx2.AsyncClient) -> None:
        self.account = account
        self.guard = account.guarded()
        key = account.credentials.get("api_key")
        login = TokenLogin(self._fetch_token, lambda token: ("authorization", f"Bearer {token}"), guard=self.guard)
        self._http = VendorHTTP(
            account=account,
            base_url=account.base_url or BASE_URL,
            operations=OPERATIONS,
            guard=self.guard,
            client=client,
            auth=login if key is None else None,
            explain=explain,
            headers={} if key is None else {"authorization": f"Bearer {key.reveal()}"},
        )

    async def _fetch_token(self) -> Token:
        """Short-lived, the documents say, and not how short: it is kept until it is refused."""
        body = {name: self.account.credentials[name].reveal() for name in ("username", "password")}
        try:
            answer = await self._http.json("login", body=body, login=False)
        except VendorForbidden as error:  # with which status it refuses a password is not documented
            raise VendorUnauthorized(error.message, account=error.account, vendor=error.vendor) from None
        value = text(answer.get("token")) if isinstance(answer, dict) else None
        if value is None:
            raise VendorProtocolError(
                "eatmachine's answer to login holds no token", account=self.account.key, vendor="eatmachine"
            )
        return Token(value, None)

    async def sign_in(self) -> None:
        await self._http.json("who-am-i")

    async def send(self, request: VendorRequest) -> Any:
        return await self._http.json(request.operation, path=request.path, body=request.body, headers=AS_JSON)

    def shown(self, request: VendorRequest) -> tuple[str, str, Any]:
        """Raises ValueError where no such path can be."""
        operation = self._http.operations[request.operation]
        return operation.method, operation.fill(request.path), request.body
