"""How a collector of the configuration is connected to: its name is looked up here, and what was looked at is what is
connected to, as `connectors.reaching` has it for vendors."""

import socket
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError, NewConnectionError

from connectors.reaching import Reach, Unreachable, reachable_now


def session(reach: Reach) -> requests.Session:
    """No proxy and no redirect gets around it."""
    made = requests.Session()
    made.trust_env = False
    for scheme in ("http://", "https://"):
        made.mount(scheme, _Guarded(reach))
    return made


class _Guarded(HTTPAdapter):
    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        super().__init__()

    def init_poolmanager(self, *given: Any, **named: Any) -> None:
        super().init_poolmanager(*given, **named)
        self.poolmanager.pool_classes_by_scheme = _pools(self._reach)


def _pools(reach: Reach) -> dict[str, type[HTTPConnectionPool]]:
    """The library asks for classes, and these know how far they may go."""

    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return _first(self, super()._new_conn, reach)

    class Secure(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return _first(self, super()._new_conn, reach)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}


def _first(connection: Any, connect: Any, reach: Reach) -> socket.socket:
    """To the first address that answers. For TLS it is the name again that counts."""
    named: str = connection._dns_host  # noqa: SLF001  what is connected to, beside whom it is said to be
    failed: Exception | None = None
    try:
        for address in reachable_now(named, connection.port, reach):
            connection._dns_host = address  # noqa: SLF001
            try:
                made: socket.socket = connect()
            except HTTPError as error:
                failed = error
            else:
                return made
    except Unreachable as error:
        raise NewConnectionError(connection, str(error)) from None
    finally:
        connection._dns_host = named  # noqa: SLF001
    raise failed or NewConnectionError(connection, "there is no address")
