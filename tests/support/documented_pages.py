"""Pages that nobody has recorded for us, typed with every key of their documented shape. All names are invented."""

from typing import Any

GAME = 2023020001
AVERAGE = {"imperial": 21.0, "metric": 33.8}
OVERLAY = {
    "player": {"firstName": {"default": "Åke"}, "lastName": {"default": "Grünwald"}},
    "gameDate": "2023-11-01",
    "awayTeam": {"abbrev": "AWA", "score": 2},
    "homeTeam": {"abbrev": "HOM", "score": 5},
    "gameOutcome": {"lastPeriodType": "REG"},
    "periodDescriptor": {"number": 2, "periodType": "REG", "maxRegulationPeriods": 3},
    "timeInPeriod": "14:32",
    "gameType": 2,
}

EDGE_SKATER: dict[str, Any] = {
    "player": {
        "id": 8470001, "firstName": {"default": "Åke"}, "lastName": {"default": "Grünwald"}, "birthDate": "1999-02-28",
        "shootsCatches": "L", "sweaterNumber": 9, "position": "C", "slug": "ake-grunwald-8470001", "headshot": "x.png",
        "goals": 5, "assists": 7, "points": 12, "gamesPlayed": 14,
        "team": {
            "id": 101, "commonName": {"default": "Alphas"}, "placeNameWithPreposition": {"default": "Home"},
            "abbrev": "HOM", "teamLogo": {"light": "a.svg", "dark": "b.svg"}, "slug": "alphas", "conference": "East",
            "division": "North", "wins": 8, "losses": 5, "otLosses": 1, "gamesPlayed": 14, "points": 17,
        },
    },
    "seasonsWithEdgeStats": [{"id": 20232024, "gameTypes": [2, 3]}],
    "topShotSpeed": {
        "imperial": 91.0, "metric": 146.45, "percentile": 0.75, "leagueAvg": AVERAGE, "overlay": OVERLAY,
    },
    "skatingSpeed": {
        "speedMax": {
            "imperial": 22.5, "metric": 36.21, "percentile": 0.875, "leagueAvg": AVERAGE, "overlay": OVERLAY,
        },
        "burstsOver20": {"value": 21, "percentile": 0.5, "leagueAvg": {"value": 16.2}},
    },
    "totalDistanceSkated": {"imperial": 42.0, "metric": 67.59, "percentile": 0.625, "leagueAvg": AVERAGE},
    "distanceMaxGame": {
        "imperial": 3.5, "metric": 5.63, "percentile": 0.25, "leagueAvg": AVERAGE, "overlay": OVERLAY,
    },
    "sogSummary": [
        {
            "locationCode": "all", "shots": 30, "shotsPercentile": 0.6, "shotsLeagueAvg": 20.5, "goals": 5,
            "goalsPercentile": 0.7, "goalsLeagueAvg": 2.5, "shootingPctg": 0.1667, "shootingPctgPercentile": 0.8,
            "shootingPctgLeagueAvg": 0.1,
        }
    ],
    "sogDetails": [{"area": "Crease", "shots": 4, "shootingPctg": 0.25, "shotsPercentile": 0.85}],
    "zoneTimeDetails": {
        "offensiveZonePctg": 0.42, "offensiveZonePercentile": 0.6, "offensiveZoneLeagueAvg": 0.41,
        "offensiveZoneEvPctg": 0.4, "offensiveZoneEvPercentile": 0.5, "offensiveZoneEvLeagueAvg": 0.39,
        "neutralZonePctg": 0.18, "neutralZonePercentile": 0.4, "neutralZoneLeagueAvg": 0.18,
        "defensiveZonePctg": 0.4, "defensiveZonePercentile": 0.3, "defensiveZoneLeagueAvg": 0.41,
    },
}  # fmt: skip

DRAFT: dict[str, Any] = {
    "broadcastStartTimeUTC": "2023-06-28T23:00:00Z",
    "draftYear": 2023,
    "draftYears": [2023, 2022],
    "selectableRounds": [1, 2],
    "state": "over",
    "picks": [
        {
            "round": 1, "pickInRound": 1, "overallPick": 1, "teamId": 101, "teamAbbrev": "HOM",
            "teamName": {"default": "Home Alphas"}, "teamCommonName": {"default": "Alphas"},
            "teamPlaceNameWithPreposition": {"default": "Home"}, "displayAbbrev": {"default": "HOM"},
            "teamLogoLight": "a.svg", "teamLogoDark": "b.svg", "teamPickHistory": "AWA-HOM",
            "firstName": {"default": "Åke"}, "lastName": {"default": "Grünwald"}, "positionCode": "LW",
            "countryCode": "SWE", "height": 74, "weight": 186, "amateurLeague": "Lakes U20",
            "amateurClubName": "Umeå Juniors",
        },
        {"round": 2, "pickInRound": 1, "overallPick": 33, "teamId": 102, "teamAbbrev": "AWA"},
    ],
}  # fmt: skip

GLOSSARY: dict[str, Any] = {
    "data": [
        {
            "id": 7, "abbreviation": "G", "definition": "Goals scored.", "firstSeasonForStat": 19171918,
            "fullName": "Goals", "languageCode": "en", "lastUpdated": "2024-01-05T12:00:00",
        },
        {"id": 8, "abbreviation": "X", "definition": None, "firstSeasonForStat": None, "fullName": "Unknown"},
    ],
    "total": 2,
}  # fmt: skip

SKATER_REPORT: dict[str, Any] = {
    "data": [
        {
            "gameId": GAME, "gameDate": "2023-10-10", "gamesPlayed": 1, "homeRoad": "H", "opponentTeamAbbrev": "AWA",
            "playerId": 8470001, "skaterFullName": "Åke Grünwald", "lastName": "Grünwald", "teamAbbrev": "HOM",
            "positionCode": "C", "shootsCatches": "L", "goals": 1, "assists": 1, "points": 2, "plusMinus": 1,
            "penaltyMinutes": 2, "ppGoals": 0, "ppPoints": 1, "shGoals": 0, "shPoints": 0, "evGoals": 1, "evPoints": 1,
            "otGoals": 0, "gameWinningGoals": 1, "shots": 4, "shootingPct": 0.25, "pointsPerGame": 2.0,
            "faceoffWinPct": None, "timeOnIcePerGame": 1034.0,
        }
    ],
    "total": 1,
}  # fmt: skip
GOALIE_REPORT: dict[str, Any] = {
    "data": [
        {
            "gameId": GAME, "playerId": 8470003, "goalieFullName": "Örn Zèbre", "shotsAgainst": 30, "goalsAgainst": 2,
            "saves": 28, "savePct": 0.933333, "timeOnIce": 3600,
        }
    ],
    "total": 1,
}  # fmt: skip
TEAM_REPORT: dict[str, Any] = {
    "data": [
        {
            "gameId": GAME, "teamId": 101, "teamFullName": "Home Alphas", "goalsFor": 3, "goalsAgainst": 2,
            "shotsForPerGame": 31.0, "shotsAgainstPerGame": None,
        }
    ],
    "total": 1,
}  # fmt: skip
