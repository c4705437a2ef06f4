"""The gateway that makes every answer anew, compiled: `python -m bench.peers.unkept serve --config FILE`.

All else is as it is served; what the vendor told is kept."""

from compiled import Keeper, Kept, Pieces
from gateway.cli import main


def nothing(*_: object, **__: object) -> Kept | None:
    """As for an answer that was never asked for."""
    return None


if __name__ == "__main__":
    # Methods are replaced, which no type checker would let through.
    setattr(Keeper, "find", nothing)  # noqa: B010
    setattr(Pieces, "key", nothing)  # noqa: B010
    main()
