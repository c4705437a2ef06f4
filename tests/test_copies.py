"""Copies of values are as `dataclasses.replace` makes them."""

from dataclasses import dataclass, field, replace

import pytest

from domain.copies import copier


@dataclass(frozen=True, slots=True, kw_only=True)
class Bike:
    name: str
    wheels: int = 2
    bell: object = field(default=None, repr=False)


def test_a_copy_is_what_replace_makes() -> None:
    bell = object()
    bike = Bike(name="a", bell=bell)
    assert copier(Bike, "name", "wheels")(bike, "b", 3) == replace(bike, name="b", wheels=3)
    assert copier(Bike, "bell")(bike, None) == replace(bike, bell=None)
    assert bike == Bike(name="a", bell=bell)


def test_a_member_that_is_none_is_refused() -> None:
    with pytest.raises(TypeError, match="has not all of gears, name"):
        copier(Bike, "gears", "name")
