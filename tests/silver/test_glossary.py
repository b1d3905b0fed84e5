"""Tests of the glossary, on handwritten pages."""

from nhl_lake.schema import checks
from nhl_lake.silver.glossary import GLOSSARY
from tests.silver.bronze_pages import NO_PAGES, build_table, make_pages
from tests.support import documented_pages


def test_a_term_is_one_row_and_what_it_lacks_is_unknown():
    found = build_table(GLOSSARY, make_pages(documented_pages.GLOSSARY, language="en"))

    checks.validate_rows(GLOSSARY, found)
    assert found.rows() == [
        ("en", 7, "G", "Goals", "Goals scored.", 19171918),
        ("en", 8, "X", "Unknown", None, None),
    ]
    assert build_table(GLOSSARY, NO_PAGES).is_empty()


def test_one_odd_field_costs_one_field():
    page = {"data": [{"id": 7, "fullName": ["Goals"], "definition": "Text"}, {"fullName": "no number"}]}
    found = build_table(GLOSSARY, make_pages(page, language="en"))

    assert found.rows() == [("en", 7, None, None, "Text", None)]
