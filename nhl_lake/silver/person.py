"""What landing pages and rosters say of a person, in the same words."""

import polars as pl

from nhl_lake import columns as c
from nhl_lake.silver.pages import Said, Text


class Person(Said):
    """A player, apart from his id, his position and his team."""

    firstName: Text
    lastName: Text
    sweaterNumber: int | None = None
    shootsCatches: str | None = None
    heightInCentimeters: int | None = None
    weightInKilograms: int | None = None
    birthDate: str | None = None
    birthCity: Text | None = None
    birthStateProvince: Text | None = None
    birthCountry: str | None = None


def person() -> dict[str, pl.Expr]:
    """Return the columns of a person from the keys of a page."""
    return {
        "first_name": pl.col("firstName"),
        "last_name": pl.col("lastName"),
        "sweater_number": pl.col("sweaterNumber"),
        "hand": pl.col("shootsCatches"),
        "height_cm": pl.col("heightInCentimeters"),
        "weight_kg": pl.col("weightInKilograms"),
        "birth_date": pl.col("birthDate").str.to_date("%Y-%m-%d"),
        "birth_city": pl.col("birthCity"),
        "birth_province": pl.col("birthStateProvince"),
        "birth_country": pl.col("birthCountry"),
    }


BODY = (
    c.hand,
    c.height_cm,
    c.weight_kg,
    c.birth_date,
    c.birth_city,
    c.birth_province,
    c.birth_country,
)
