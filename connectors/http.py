"""One vendor over HTTP: operations by name, answers as JSON, and every failure as one of our errors."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import httpx2
import orjson
import structlog

from connectors.base import Account
from connectors.body import BodyError, decoded, look_at
from connectors.failures import Answer, Failures, Headers, number
from connectors.guard import Guard, Passage, Traffic
from connectors.heads import Aim, aimed
from connectors.login import Token, TokenLogin
from connectors.operations import Operation, overridden, table
from connectors.pooling import new_client
from connectors.roads import Came, Request, Roads
from connectors.upstream import UpstreamRequest, trace
from domain.errors import VendorError, VendorProtocolError, VendorRateLimited, VendorUnauthorized, VendorUnavailable

__all__ = [
    "Answer",
    "Operation",
    "UpstreamRequest",
    "VendorHTTP",
    "asking",
    "new_client",
    "overridden",
    "table",
    "trace",
]

log = structlog.get_logger()

RETRIES = 2
FIRST_PAUSE = 0.1
LONGEST_PAUSE = 1.0
EARLY = 0.005  # seconds: an event loop may ring a timer that much too soon


asking: ContextVar[Traffic | None] = ContextVar("asking", default=None)  # who asks, where it is not a query


@dataclass(slots=True)
class _Call:
    """One request to make, and by when on the loop's clock it has to be over. `sent`: the vendor may act on it;
    `tried`: it went over the wire, if only to be refused; `private`: what it carries must not be repeated;
    `remembered`: its answer may stay in memory, to be known when it comes again.

    `auth` gives it a token; `logs_in` is whom it gets one for, and then has a budget of its own."""

    operation: Operation
    request: Request
    traffic: Traffic
    auth: TokenLogin | None
    logs_in: TokenLogin | None
    deadline: float
    private: bool
    remembered: bool
    sent: bool = False
    tried: bool = False

    @property
    def late(self) -> bool:
        return asyncio.get_running_loop().time() >= self.deadline - EARLY


def no_words(_: Any) -> str | None:
    return None


def no_conflict(_: int, __: Any) -> str | None:
    return None


def all_of_it(body: bytes) -> bytes:
    return body


def is_401(status: int, _: Any) -> bool:
    return status == 401


class VendorHTTP:
    """`explain(data)` finds the vendor's own words in an error's body.

    `unauthorized(status, data)`: which answers mean that the credentials themselves are refused; `conflict`: what it
    is, in our words, that stands against what was asked, for those that mean that. `telling(body)`: an answer without
    what is of its request alone, so that one that tells the same can be known."""

    def __init__(
        self,
        *,
        account: Account,
        base_url: str,
        operations: Mapping[str, Operation],
        guard: Guard,
        client: httpx2.AsyncClient,
        auth: TokenLogin | None = None,
        explain: Callable[[Any], str | None] = no_words,
        unauthorized: Callable[[int, Any], bool] = is_401,
        conflict: Callable[[int, Any], str | None] = no_conflict,
        telling: Callable[[bytes], bytes] = all_of_it,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.account = account
        self.guard = guard
        self.auth = auth
        self.base_url = base_url
        self.operations = overridden(operations, account.endpoints)
        self._telling = telling
        self._failures = Failures(
            account.key, guard.vendor, guard.timeout, explain, unauthorized, self._secrets, conflict
        )
        usual = httpx2.Headers({**client.headers, "accept": "application/json", **(headers or {})})
        self._roads = Roads(client, usual)

    def _secrets(self) -> Iterable[str]:
        yield from (secret.reveal() for secret in self.account.credentials.values())
        if self.auth is not None and self.auth.current is not None:
            yield self.auth.current.value

    def repeated(self, words: str) -> str:
        """What the vendor said, fit to stand in an error."""
        return self._failures.repeated(words)

    async def json(self, operation: str, **parts: Any) -> Any:
        return (await self.send(operation, **parts)).data

    async def send(
        self,
        operation: str,
        *,
        path: Mapping[str, object] | None = None,
        query: Mapping[str, object] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        traffic: Traffic | None = None,
        private: bool = False,
        login: bool = True,
    ) -> Answer:
        """The answer to an operation. Raises VendorError. Reads are repeated where that is safe and can help.

        `private`: no word of the vendor's comes into an error, for it may be one of those that were sent.
        `login=False`: this is the login itself. It goes without a token, and every try counts as a login."""
        asked = self.operations[operation]
        call = _Call(
            operation=asked,
            request=self._roads.request(
                self._aim(asked, path or {}, query or {}),
                headers or {},
                None if body is None else orjson.dumps(body),
                reads=asked.reads,
            ),
            traffic=next(one for one in (traffic, asking.get(), asked.traffic) if one is not None),
            auth=self.auth if login else None,
            logs_in=None if login else self.auth,
            deadline=asyncio.get_running_loop().time() + self.guard.timeout,
            private=private,
            remembered=asked.reads and login and not private,
        )
        try:
            async with asyncio.timeout_at(call.deadline):
                answer = await self._insist(call)
        except TimeoutError:
            raise self._failures.late(operation, sent=call.sent) from None
        if answer.known is None or not answer.known.alike:
            alike = self.account.compare(operation, answer.data)
            if answer.known is None and call.remembered:
                self.account.unchanged.meet(self.account.key, operation, answer.told, answer.data, alike=alike)
        return answer

    def _aim(self, operation: Operation, path: Mapping[str, object], query: Mapping[str, object]) -> Aim:
        values = tuple((name, str(value)) for name, value in path.items())
        params = tuple((key, _plain(value)) for key, value in query.items() if value is not None)
        try:
            return aimed(operation.method, self.base_url, operation.path, values, params)
        except ValueError as error:
            raise self._failures.impossible(operation.name, str(error)) from None

    async def _insist(self, call: _Call) -> Answer:
        """Tries again where a read may be repeated, nothing is lost by it, and the retry budget allows."""
        attempt = 0
        while True:
            try:
                return await self._authorized(call)
            except VendorError as error:
                pause = self._pause_before_retry(call, error, attempt)
                if pause is None:
                    raise
            await asyncio.sleep(pause)
            attempt += 1

    def _pause_before_retry(self, call: _Call, error: VendorError, attempt: int) -> float | None:
        """None where it is not to be tried again: nor is it where the pause would outlast the deadline."""
        if not call.operation.reads or attempt == RETRIES or not error.transient:
            return None
        wait = error.retry_after or 0.0
        pause = wait + self.guard.random() * min(LONGEST_PAUSE, FIRST_PAUSE * 2.0**attempt)
        if wait > LONGEST_PAUSE or asyncio.get_running_loop().time() + pause >= call.deadline:
            return None
        return pause if self.guard.may_retry() else None

    async def _authorized(self, call: _Call) -> Answer:
        """With a token, and once more with another where the vendor refuses the first."""
        auth = call.auth
        token = None if auth is None else await _unsent(auth.token())
        answer, error = await self._once(call, token)
        if auth is not None and token is not None and auth.rejected(answer.status, answer.data):
            call.sent = False  # what was refused at the door was not acted on
            answer, error = await self._once(call, await _unsent(auth.renewed(token)))
        if error is None:
            return answer
        if type(error) is VendorUnauthorized or (auth is not None and auth.rejected(answer.status, answer.data)):
            self.guard.refuse_credentials(error)
        raise error

    async def _once(self, call: _Call, token: Token | None) -> tuple[Answer, VendorError | None]:
        """One request over the wire, judged by the guard: the answer, and the error that it amounts to.

        Raises VendorError where no usable answer came."""
        if call.auth is not None and token is not None:
            call.request.token = call.auth.header(token.value)
        passage = await self.guard.enter(call.traffic)
        try:
            if call.late:
                raise TimeoutError
            if call.logs_in is not None:
                call.logs_in.spend()
            if not call.tried:
                self.guard.earn_retry()
            call.sent = call.tried = True
            answer = await self._watched(call, passage)
            return answer, self._judge(call, passage, answer)
        finally:
            self.guard.leave(passage)

    async def _watched(self, call: _Call, passage: Passage) -> Answer:
        try:
            return await self._timed(call)
        except VendorError as error:
            self._failed(call, passage, error)
            raise
        except asyncio.CancelledError:
            if call.late:
                self._failed(call, passage, self._failures.late(call.operation.name, sent=True))
            raise

    async def _timed(self, call: _Call) -> Answer:
        told = UpstreamRequest(self.account.key, call.operation.name, time.perf_counter())
        traced = trace.get()
        if traced is not None:
            traced.append(told)
        try:
            return self._read(call.operation, await self._roads.go(call.request, told))
        except httpx2.HTTPError as error:
            # Its text may hold what was sent, a header that cannot be sent for one.
            raise self._failures.transport(call.operation.name, error) from None
        finally:
            told.ended = time.perf_counter()
            self.guard.hear(told)

    def _read(self, operation: Operation, came: Came) -> Answer:
        """An error's body may be anything; an answer's must be JSON, but for one that has nothing to say."""
        status, headers, body = came
        good = 200 <= status < 300
        data, told, known = None, b"", None
        try:
            if isinstance(body, BodyError):
                raise body
            if body or not good or (status != 204 and operation.reads):
                look_at(headers.get("content-type"), body)
                told = self._telling(body)
                known = self.account.unchanged.find(self.account.key, operation.name, told)
                data = decoded(body) if known is None else known.data
        except BodyError as error:
            if good:
                raise self._failures.unreadable(operation.name, str(error)) from None
        return Answer(status, headers, data, told, known)

    def _judge(self, call: _Call, passage: Passage, answer: Answer) -> VendorError | None:
        """Tells the guard what the answer says of the vendor, and of the budget that is left."""
        status, headers = answer.status, answer.headers
        if call.logs_in is None:
            self._tell_budget(headers)
        if 200 <= status < 300:
            self.guard.succeed(passage)
            return None
        asked = call.operation
        error = self._failures.answered(asked.name, answer, self.guard.now(), private=call.private, reads=asked.reads)
        if status == 429 or (status == 503 and error.retry_after is not None):
            (call.logs_in or self.guard).pause(error.retry_after)
        if isinstance(error, VendorUnavailable | VendorRateLimited | VendorProtocolError):
            self._failed(call, passage, error, status)
        else:
            self.guard.refuse(passage, error)
            log.info("vendor refused", **self._named(call, error, status))
        return error

    def _tell_budget(self, headers: Headers) -> None:
        left, limit = number(headers.get("ratelimit-remaining")), number(headers.get("ratelimit-limit"))
        if left is not None:
            seconds = number(headers.get("ratelimit-reset"))
            self.guard.tell_budget(None if limit is None else int(limit), int(left), seconds)

    def _failed(self, call: _Call, passage: Passage, error: VendorError, status: int | None = None) -> None:
        self.guard.fail(passage, error)
        log.warning("vendor failed", **self._named(call, error, status))

    def _named(self, call: _Call, error: VendorError, status: int | None) -> dict[str, object]:
        return {
            "account": self.account.key,
            "operation": call.operation.name,
            "status": status,
            "kind": type(error).__name__,
            "error": error.message,
        }


async def _unsent(token: Awaitable[Token]) -> Token:
    """Where a login fails, what it was for did not go out."""
    try:
        return await token
    except VendorError as error:
        error.sent = False
        raise


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
