"""Operations of a Strawberry schema as Python functions, generated for each of them.

graphql-core walks the document anew for each field of each object; here that is done once, and what is left is reading
attributes and building dicts. The answer is the same, or there is none: whatever is unusual raises `Unusual`, and
graphql-core answers instead, on the same context. How it works and what it may assume: docs/compiled-operations.md."""

from compiled.fields import BY
from compiled.keeping import READS, Keeper, Kept, Reading, Seen
from compiled.operations import Compiler, Operation
from compiled.pieces import Pieces
from compiled.running import Memory, Unusual

__all__ = ["BY", "READS", "Compiler", "Keeper", "Kept", "Memory", "Operation", "Pieces", "Reading", "Seen", "Unusual"]
