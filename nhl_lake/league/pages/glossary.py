"""stats/rest/en/glossary: some terms, in our own words."""

from nhl_lake.league.pages.page_source import Page

TERMS = (
    ("GP", "Games Played", "Games in which the player was on the ice.", 19171918),
    ("G", "Goals", "Goals scored, without shootouts.", 19171918),
    ("A", "Assists", "Assists on goals: two at most for each.", 19171918),
    ("P", "Points", "Goals and assists together.", 19171918),
    ("S", "Shots", "Shots on goal: saved ones and goals.", 19591960),
    ("TOI", "Time On Ice", "Time that the player spent on the ice.", 19971998),
    ("Hits", "Hits", "Hits that the player gave.", 20052006),
    ("SAT", "Shot Attempts", "Shots on goal, missed shots and blocked shots.", 20092010),
)


def build_glossary_page() -> Page:
    """Return the glossary."""
    rows = [
        {
            "id": number,
            "abbreviation": short,
            "definition": text,
            "firstSeasonForStat": since,
            "fullName": name,
            "languageCode": "en",
            "lastUpdated": "2024-01-05T12:00:00",
        }
        for number, (short, name, text, since) in enumerate(TERMS, 1)
    ]
    return {"data": rows, "total": len(rows)}
