"""Reading pages leniently: what is left out, and how it is named."""

import json
from typing import Any

import msgspec
import pytest

from nhl_lake.bronze.lenient import read_page


class Place(msgspec.Struct):
    """A place, which must have a name."""

    name: str
    seats: int | None = None


class Line(msgspec.Struct):
    """A row with an id."""

    id: int
    number: int | None = None
    place: Place | None = None


class Page(msgspec.Struct):
    """A page with rows."""

    id: int
    lines: list[Line]
    notes: list[str] | None = None


def read_leniently(page: Any) -> tuple[Page, dict[str, str]]:
    found, dropped = read_page(json.dumps(page), Page)
    return found, {one.path: one.reason for one in dropped}


def page(*lines: Any, **more: Any) -> dict[str, Any]:
    return {"id": 1, "lines": [{"id": 7}, *lines], **more}


def test_a_valid_page_drops_nothing():
    said = page({"id": 2, "number": None, "place": {"name": "Rink"}, "unread": []}, notes=["x"])

    assert read_leniently(said) == (Page(1, [Line(7), Line(2, place=Place("Rink"))], ["x"]), {})


def test_an_invalid_field_is_dropped_and_reported_with_its_path():
    found, dropped = read_leniently(page({"id": 2, "number": "9"}))

    assert found.lines == [Line(7), Line(2)]
    assert dropped == {"$.lines[1].number": "Expected `int`, got `str`"}


def test_an_invalid_required_field_drops_its_object_or_row():
    found, dropped = read_leniently(page({"id": 2, "number": 3, "place": {"seats": "many"}}, {"number": 3}, "x"))

    assert found.lines == [Line(7), Line(2, 3)]
    assert dropped == {
        "$.lines[1].place": "Object missing required field `name`",
        "$.lines[2]": "Object missing required field `id`",
        "$.lines[3]": "Expected `object`",
    }
    assert read_leniently(page({"id": 2, "place": {"name": 5}}))[1] == {
        "$.lines[1].place": "Expected `str`, got `int` - at `$.lines[1].place.name`"
    }


@pytest.mark.parametrize("bad", [{"lines": []}, {"id": "1", "lines": []}, {"id": 1, "lines": {}}, {"id": 1}, [], None])
def test_a_page_without_a_required_field_cannot_be_read(bad: Any):
    with pytest.raises(msgspec.ValidationError):
        read_page(json.dumps(bad), Page)


def test_a_list_without_a_valid_row_cannot_be_read():
    with pytest.raises(msgspec.ValidationError, match="None of 3 rows"):
        read_page(json.dumps({"id": 1, "lines": [{}, {}, {}]}), Page)
    assert read_leniently(page(notes=[1, 2, 3]))[1].keys() == {"$.notes"}
