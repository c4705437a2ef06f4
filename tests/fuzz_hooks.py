"""What schemathesis is told: how to make the graph's scalars, and what every answer has to be.

It is loaded by schemathesis in a process of its own. `FUZZ_IDS` holds ids that stand for something, one a line, so that
what is made up reaches further than to the refusal of an id."""

import json
import os
from datetime import UTC, datetime, timedelta
from typing import Any

import schemathesis
from graphql import parse_value
from hypothesis import strategies as st
from schemathesis.graphql import nodes

BITS = 64  # of a number: more than any amount has
IDS = tuple(os.environ["FUZZ_IDS"].split())
NOW = datetime.now(UTC)
LATELY = st.integers(0, 60 * 24).map(
    lambda hours: (NOW - timedelta(hours=hours)).isoformat()
)  # there is something then
TIMES = st.one_of(LATELY, st.datetimes().map(lambda moment: moment.isoformat() + "Z"))
NUMBERS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(2**BITS), max_value=2**BITS, places=3)
NAMES = st.from_regex(r"\A[a-z]{1,8}\Z")
OBJECTS = st.dictionaries(NAMES, st.text(max_size=8), max_size=3).map(
    lambda members: "{" + " ".join(f"{name}: {json.dumps(text)}" for name, text in members.items()) + "}"
)

schemathesis.graphql.scalar("ID", st.one_of(st.sampled_from(IDS), st.text(max_size=40)).map(nodes.String))
schemathesis.graphql.scalar("DateTime", st.one_of(TIMES, st.text(max_size=20)).map(nodes.String))
schemathesis.graphql.scalar("Date", st.one_of(st.dates().map(str), st.text(max_size=12)).map(nodes.String))
schemathesis.graphql.scalar("Decimal", st.one_of(NUMBERS.map(str), st.text(max_size=12)).map(nodes.String))
schemathesis.graphql.scalar("JSON", OBJECTS.map(parse_value))


@schemathesis.check
def answers_as_graphql(context: Any, response: Any, case: Any) -> None:  # noqa: ARG001  schemathesis passes them
    """No failure of the server, whatever is asked: an error is somebody else's, and says whose."""
    assert response.status_code < 500, response.status_code
    answer = response.json()
    assert isinstance(answer, dict)
    assert "data" in answer or answer.get("errors"), answer
    for error in answer.get("errors", ()):
        assert isinstance(error["message"], str), error
        assert error["extensions"]["code"] != "INTERNAL", error
