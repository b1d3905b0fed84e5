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


def told(page: Any) -> tuple[Page, dict[str, str]]:
    found, odd = read_page(json.dumps(page), Page)
    return found, {one.path: one.reason for one in odd}


def page(*lines: Any, **more: Any) -> dict[str, Any]:
    return {"id": 1, "lines": [{"id": 7}, *lines], **more}


def test_a_whole_page_has_nothing_odd():
    said = page({"id": 2, "number": None, "place": {"name": "Rink"}, "unread": []}, notes=["x"])

    assert told(said) == (Page(1, [Line(7), Line(2, place=Place("Rink"))], ["x"]), {})


def test_an_odd_field_is_left_out_and_named_by_its_path():
    found, odd = told(page({"id": 2, "number": "9"}))

    assert found.lines == [Line(7), Line(2)]
    assert odd == {"$.lines[1].number": "Expected `int`, got `str`"}


def test_what_an_object_must_have_costs_the_object_and_what_a_row_must_have_the_row():
    found, odd = told(page({"id": 2, "number": 3, "place": {"seats": "many"}}, {"number": 3}, "x"))

    assert found.lines == [Line(7), Line(2, 3)]
    assert odd == {
        "$.lines[1].place": "Object missing required field `name`",
        "$.lines[2]": "Object missing required field `id`",
        "$.lines[3]": "Expected `object`",
    }
    assert told(page({"id": 2, "place": {"name": 5}}))[1] == {
        "$.lines[1].place": "Expected `str`, got `int` - at `$.lines[1].place.name`"
    }


@pytest.mark.parametrize("bad", [{"lines": []}, {"id": "1", "lines": []}, {"id": 1, "lines": {}}, {"id": 1}, [], None])
def test_a_page_that_lacks_what_it_must_have_cannot_be_read(bad: Any):
    with pytest.raises(msgspec.ValidationError):
        read_page(json.dumps(bad), Page)


def test_a_list_of_which_nothing_can_be_read_is_another_kind_of_page():
    with pytest.raises(msgspec.ValidationError, match="None of 3 rows"):
        read_page(json.dumps({"id": 1, "lines": [{}, {}, {}]}), Page)
    assert told(page(notes=[1, 2, 3]))[1].keys() == {"$.notes"}
