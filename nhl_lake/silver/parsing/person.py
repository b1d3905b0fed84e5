"""Personal data that player pages and roster pages share."""

from datetime import date

import polars as pl

from nhl_lake.bronze.numbers import Int16
from nhl_lake.schema import columns as c
from nhl_lake.silver.parsing.pages import LocalizedText, PageStruct


class Person(PageStruct):
    """The personal data of a player, without id, position and team."""

    firstName: LocalizedText | None = None
    lastName: LocalizedText | None = None
    sweaterNumber: Int16 | None = None
    shootsCatches: str | None = None
    heightInCentimeters: Int16 | None = None
    weightInKilograms: Int16 | None = None
    birthDate: date | None = None
    birthCity: LocalizedText | None = None
    birthStateProvince: LocalizedText | None = None
    birthCountry: str | None = None


def select_person_columns() -> dict[str, pl.Expr]:
    """Return the columns of personal data from the keys of a page."""
    return {
        "first_name": pl.col("firstName"),
        "last_name": pl.col("lastName"),
        "sweater_number": pl.col("sweaterNumber"),
        "shoots_catches": pl.col("shootsCatches"),
        "height_cm": pl.col("heightInCentimeters"),
        "weight_kg": pl.col("weightInKilograms"),
        "birth_date": pl.col("birthDate").str.to_date("%Y-%m-%d"),
        "birth_city": pl.col("birthCity"),
        "birth_province": pl.col("birthStateProvince"),
        "birth_country": pl.col("birthCountry"),
    }


BIO_COLUMNS = (
    c.shoots_catches,
    c.height_cm,
    c.weight_kg,
    c.birth_date,
    c.birth_city,
    c.birth_province,
    c.birth_country,
)
