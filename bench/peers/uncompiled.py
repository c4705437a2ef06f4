"""The gateway with graphql-core executing every operation: `python -m bench.peers.uncompiled serve --config FILE`.

All else is as it is served, the resolvers and what they keep among it: this is plain Strawberry on them."""

from compiled import Compiler, Operation
from gateway.cli import main


def nothing(*_: object, **__: object) -> Operation | None:
    """As the compiler answers of what it leaves to graphql-core."""
    return None


if __name__ == "__main__":
    setattr(Compiler, "operation", nothing)  # noqa: B010  a method is replaced, which no type checker would let through
    main()
