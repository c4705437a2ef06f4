"""Whether a record shows what was ordered."""

from typing import Any

import pytest

from connectors.shown import shows


@pytest.mark.parametrize(
    ("told", "ordered", "expected"),
    [
        ({"a": "1"}, {"a": "1"}, True),
        ({"a": 1}, {"a": "1"}, True),
        ({"a": "1", "b": 2}, {"a": "1"}, True),
        ({"a": "2"}, {"a": "1"}, False),
        ({"a": None}, {"a": "1"}, False),
        ({}, {"a": "1"}, None),
        ({"b": "2"}, {"a": "1", "b": "2"}, None),
        ({"b": "3"}, {"a": "1", "b": "2"}, False),
        ({"a": {"x": "1", "y": "2"}}, {"a": {"x": "1"}}, True),
        ({"a": {"y": "2"}}, {"a": {"x": "1"}}, False),
        ({"a": "x"}, {"a": {"x": "1"}}, False),
        ({"a": [{"x": 1, "id": 7}, {"x": 2}]}, {"a": [{"x": 2}, {"x": 1}]}, True),
        ({"a": [{"x": 1}, {"x": 1}]}, {"a": [{"x": 2}, {"x": 1}]}, False),
        ({"a": [{"x": 1}]}, {"a": [{"x": 1}, {"x": 1}]}, False),
        ({"a": []}, {"a": []}, True),
        ({"a": None}, {"a": []}, False),
    ],
)
def test_what_is_shown(told: Any, ordered: Any, expected: bool | None) -> None:
    assert shows(told, ordered) is expected
