"""Requests that come again byte for byte: answered where they arrive, without being read.

Whoever shows a fleet asks for it every few seconds, in the same words. Reading such a request, and handing it through
the server, costs three times what finding its answer does."""

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from gateway.arriving import Arriving
from gateway.road import LONGEST, WHOLE, Answer, Road

LONGEST_WHOLE = LONGEST + 4_096  # bytes: a body, and a head as clients send it


class Repeating(Arriving):
    """`road`: where such requests are known; None where none are."""

    road: Road | None = None
    _complete = 0  # requests that have arrived

    def data_received(self, data: bytes) -> None:
        if self.road is None or len(data) > LONGEST_WHOLE or not self._between():
            super().data_received(data)
            return
        whole = (self.client[0] if self.client else None, data)
        answer = self.road.answer_whole(whole)
        if answer is not None:
            self._arrived()
            self.transport.write(written(answer, self.server_state.default_headers))
            self.on_response_complete()
            return
        complete = self._complete
        super().data_received(data)
        if self._complete == complete + 1 and self._is_plain():
            self.cycle.scope[WHOLE] = whole  # type: ignore[literal-required]  # one of our own

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._complete += 1

    def _between(self) -> bool:
        """Whether the next byte begins a request, whose answer may be written at once."""
        answered = self.cycle is None or self.cycle.response_complete
        return answered and not (
            self._under_way or self._head or self.pipeline or self.flow.write_paused or self.transport.is_closing()
        )

    def _is_plain(self) -> bool:
        """Whether what came was just one request, that asks nothing of the connection."""
        return (
            not (self._under_way or self._head or self.pipeline or self.transport.is_closing())
            and not self.parser.should_upgrade()
            and not self.expect_100_continue
            and self.cycle.keep_alive
        )


def written(answer: Answer, always: list[tuple[bytes, bytes]]) -> bytes:
    """On the wire."""
    lines = [STATUS_LINE[answer.status]]
    for name, value in (*always, *answer.headers):
        lines += (name, b": ", value, b"\r\n")
    return b"".join((*lines, b"\r\n", answer.body))
