"""Invented people: names built from syllables, so that they are not those of real players."""

from __future__ import annotations

from random import Random
from typing import Final, NamedTuple

from nhl_lake.league.model import LocalizedText


class NameOrigin(NamedTuple):
    """The syllables of names and the birthplaces of one country."""

    country: str
    share: float  # of players
    first_names: tuple[str, ...]
    surname_starts: tuple[str, ...]
    surname_ends: tuple[str, ...]
    towns: tuple[tuple[str, str], ...]  # town and state or province, "" if there is none
    accented_languages: tuple[str, ...] = ()  # languages that keep the accents, when the default form drops them


def _split(text: str) -> tuple[str, ...]:
    return tuple(text.split())


NAME_ORIGINS: Final = (
    NameOrigin(
        "CAN", 0.34,
        _split("Tavish Brody Colby Declan Garnet Keaton Lachlan Merrick Nolan Quill Rowan Sutton Teague Weston Kipp"),
        _split("Thorn Brack Wex Hallow Mardle Quarn Stone Fen Ravel Dun Pell Corrie Ash Winter Grim Lark"),
        _split("combe wick stow thwaite more ridge holt garth mere burne sley vale"),
        (
            ("Cedar Narrows", "ON"), ("Pine Portage", "MB"), ("Willow Bluff", "SK"), ("Fort Larch", "AB"),
            ("Gull Harbour", "NS"), ("Salmon Reach", "BC"),
        ),
    ),
    NameOrigin(
        "CAN", 0.08,
        _split("Étienne Loïc Félix Zacharie Thibault Gédéon Rémi Anselme Cédric Hervé"),
        _split("Beau Mont Clair Grand Vieux Haut Roche Belle Noir Trois"),
        _split("chênay prévert lacombière rivard vallonet mérault sablier forêt épinay"),
        (("Saint-Érable", "QC"), ("Rivière-Grise", "QC"), ("Val-des-Ormes", "QC")),
    ),
    NameOrigin(
        "USA", 0.28,
        _split("Asher Brooks Cade Dalton Easton Gunnar Holden Jory Knox Landry Mitch Rhett Sawyer Trace Wade Zeke"),
        _split("Hart Bram Kess Wald Orch Tull Lund Pritch Sand Mack Vander Hol Esk Whit Drum Cope"),
        _split("leford enbeck ington erly worthy eridge ensky abaugh inger olway ester amore"),
        (
            ("Birch Rapids", "MN"), ("Copper Bay", "MI"), ("Elmhurst Falls", "NY"), ("Granite Mills", "MA"),
            ("Cold Spring Forks", "WI"), ("Mesa Blanca", "AZ"),
        ),
    ),
    NameOrigin(
        "SWE", 0.10,
        _split("Åke Björn Göran Håkan Jörgen Märten Örjan Torbjörn Sven Ragnvald Ture Vidar"),
        _split("Fjäll Björk Ås Hög Älv Sjö Lång Höst Kärr Grön"),
        _split("varn myrén skär tånge höjd vret ängér stigé"),
        (("Norrfjäll", ""), ("Ålsjö", ""), ("Västervret", "")),
    ),
    NameOrigin(
        "FIN", 0.06,
        _split("Väinö Jyrki Eerö Tapsa Urho Ilmö Kyösti Pentti Sampsa Yrjö"),
        _split("Järvi Koski Metsä Vaara Kallio Hiiden Suvi Korpi Pöllä"),
        _split("harjula suomäki lampelo kivelä pelto ahoinen niittä"),
        (("Pöllälä", ""), ("Hiidenkoski", "")),
    ),
    NameOrigin(
        "CZE", 0.04,
        _split("Bořek Čeněk Dušek Hynek Květoš Řehoř Vavřin Zbyněk"),
        _split("Hrad Vlk Mlýn Břez Skřiv Žďár Lípov"),
        _split("ečník oválek ínský ušák ařík ovčík"),
        (("Březová Lhota", ""), ("Starý Mlýn", "")),
        accented_languages=("cs", "sk"),
    ),
    NameOrigin(
        "SVK", 0.02,
        _split("Ľuboš Ďuro Šimon Vratko Želmír Blažej"),
        _split("Hôr Potôč Jaseň Dúbrav Kôst"),
        _split("ovčan ičiak anský eňák"),
        (("Jaseňová Dolina", ""),),
        accented_languages=("cs", "sk"),
    ),
    NameOrigin(
        "RUS", 0.04,
        _split("Arseny Bogdan Demid Gleb Lavr Prokhor Savely Timur Yefim"),
        _split("Berez Gor Kamysh Lug Ozer Ryab Tikh"),
        _split("ovetsky inichev atkin elnikov ushansky"),
        (("Novogorye", ""), ("Ozersk-na-Ryabi", "")),
    ),
    NameOrigin(
        "CHE", 0.015,
        _split("Reto Urs Beat Jürg Köbi Sepp"),
        _split("Matt Rüegg Brünn Stauf Zumb"),
        _split("enalp isegger ühler achmatt"),
        (("Oberalpwil", ""),),
    ),
    NameOrigin(
        "DEU", 0.015,
        _split("Götz Jörn Lutz Rüdiger Uwe Falk"),
        _split("Eich Grün Stein Löw Rött"),
        _split("wäldner brücker hövel mühlen"),
        (("Bad Eichgrund", ""),),
    ),
    NameOrigin(
        "DNK", 0.005,
        _split("Søren Jørn Bjørk Asger"),
        _split("Sønder Kjær Grøn Løv"),
        _split("gårdsen holtved strupsen"),
        (("Sønderlund", ""),),
    ),
    NameOrigin(
        "LVA", 0.005,
        _split("Jānis Krišs Mārcis Ģirts"),
        _split("Bērz Kalniņ Ozol Lāč"),
        _split("upsons ājums eniņš"),
        (("Bērzkalns", ""),),
    ),
)  # fmt: skip
_ACCENT_TABLE: Final = str.maketrans("áčďéěíĺľňóôŕřšťúůýžäÁČĎÉĚÍĽŇÓŘŠŤÚÝŽ", "acdeeillnoorrstuuyzaACDEEILNORSTUYZ")


class Person(NamedTuple):
    """A name and a birthplace."""

    first: LocalizedText
    last: LocalizedText
    city: LocalizedText
    state: LocalizedText
    country: str


def draw_person(rng: Random) -> Person:
    """Draw a new person."""
    land = rng.choices(NAME_ORIGINS, [land.share for land in NAME_ORIGINS])[0]
    town, state = rng.choice(land.towns)
    last = rng.choice(land.surname_starts) + rng.choice(land.surname_ends)
    if land.country == "RUS" and rng.random() < 0.3:
        last += "-" + rng.choice(land.surname_starts) + "in"
    return Person(
        localize_name(rng.choice(land.first_names), land),
        localize_name(last, land),
        localize_name(town, land),
        (("default", state),) if state else (),
        land.country,
    )


def localize_name(words: str, land: NameOrigin) -> LocalizedText:
    """Return localized text; the default form has no accents if pages write that country's names without them."""
    if not land.accented_languages:
        return (("default", words),)
    plain = words.translate(_ACCENT_TABLE)
    return (
        (("default", plain), *((lang, words) for lang in land.accented_languages))
        if plain != words
        else (("default", words),)
    )


def draw_official_name(rng: Random) -> LocalizedText:
    """Draw the full name of a referee, a linesman or a coach."""
    who = draw_person(rng)
    return (("default", f"{dict(who.first)['default']} {dict(who.last)['default']}"),)
