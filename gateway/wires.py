"""The short way to a subscriber: a finished message goes to its connection where nothing is in the way there, and
nobody is woken for it."""

from dataclasses import dataclass
from typing import Protocol

from gateway.channels import Frame

CONNECTION = "vendgraph.connection"  # in the scope of a socket


class Connection(Protocol):
    def is_free(self) -> bool:
        """Whether the next message may be written as it is: the handshake is over, no end is on its way, and what was
        written before has left."""

    def write_text(self, *parts: bytes) -> None:
        """One message."""


@dataclass(frozen=True, slots=True)
class Wire:
    """`head`: what stands before each result of an operation."""

    connection: Connection
    head: bytes

    def is_free(self) -> bool:
        return self.connection.is_free()

    def write(self, frame: Frame) -> None:
        self.connection.write_text(self.head, frame.payload, b"}")
