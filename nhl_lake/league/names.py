"""Invented people: names put together from syllables, so that no real player is meant."""

from __future__ import annotations

from random import Random
from typing import Final, NamedTuple

from .model import Text


class Land(NamedTuple):
    """How names and birthplaces of one country are made."""

    country: str
    share: float  # of players
    firsts: tuple[str, ...]
    heads: tuple[str, ...]
    tails: tuple[str, ...]
    towns: tuple[tuple[str, str], ...]  # town and state or province, "" where there is none
    accented: tuple[str, ...] = ()  # languages that keep the accents, when the default form drops them


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


LANDS: Final = (
    Land(
        "CAN", 0.34,
        _words("Tavish Brody Colby Declan Garnet Keaton Lachlan Merrick Nolan Quill Rowan Sutton Teague Weston Kipp"),
        _words("Thorn Brack Wex Hallow Mardle Quarn Stone Fen Ravel Dun Pell Corrie Ash Winter Grim Lark"),
        _words("combe wick stow thwaite more ridge holt garth mere burne sley vale"),
        (
            ("Cedar Narrows", "ON"), ("Pine Portage", "MB"), ("Willow Bluff", "SK"), ("Fort Larch", "AB"),
            ("Gull Harbour", "NS"), ("Salmon Reach", "BC"),
        ),
    ),
    Land(
        "CAN", 0.08,
        _words("Étienne Loïc Félix Zacharie Thibault Gédéon Rémi Anselme Cédric Hervé"),
        _words("Beau Mont Clair Grand Vieux Haut Roche Belle Noir Trois"),
        _words("chênay prévert lacombière rivard vallonet mérault sablier forêt épinay"),
        (("Saint-Érable", "QC"), ("Rivière-Grise", "QC"), ("Val-des-Ormes", "QC")),
    ),
    Land(
        "USA", 0.28,
        _words("Asher Brooks Cade Dalton Easton Gunnar Holden Jory Knox Landry Mitch Rhett Sawyer Trace Wade Zeke"),
        _words("Hart Bram Kess Wald Orch Tull Lund Pritch Sand Mack Vander Hol Esk Whit Drum Cope"),
        _words("leford enbeck ington erly worthy eridge ensky abaugh inger olway ester amore"),
        (
            ("Birch Rapids", "MN"), ("Copper Bay", "MI"), ("Elmhurst Falls", "NY"), ("Granite Mills", "MA"),
            ("Cold Spring Forks", "WI"), ("Mesa Blanca", "AZ"),
        ),
    ),
    Land(
        "SWE", 0.10,
        _words("Åke Björn Göran Håkan Jörgen Märten Örjan Torbjörn Sven Ragnvald Ture Vidar"),
        _words("Fjäll Björk Ås Hög Älv Sjö Lång Höst Kärr Grön"),
        _words("varn myrén skär tånge höjd vret ängér stigé"),
        (("Norrfjäll", ""), ("Ålsjö", ""), ("Västervret", "")),
    ),
    Land(
        "FIN", 0.06,
        _words("Väinö Jyrki Eerö Tapsa Urho Ilmö Kyösti Pentti Sampsa Yrjö"),
        _words("Järvi Koski Metsä Vaara Kallio Hiiden Suvi Korpi Pöllä"),
        _words("harjula suomäki lampelo kivelä pelto ahoinen niittä"),
        (("Pöllälä", ""), ("Hiidenkoski", "")),
    ),
    Land(
        "CZE", 0.04,
        _words("Bořek Čeněk Dušek Hynek Květoš Řehoř Vavřin Zbyněk"),
        _words("Hrad Vlk Mlýn Břez Skřiv Žďár Lípov"),
        _words("ečník oválek ínský ušák ařík ovčík"),
        (("Březová Lhota", ""), ("Starý Mlýn", "")),
        accented=("cs", "sk"),
    ),
    Land(
        "SVK", 0.02,
        _words("Ľuboš Ďuro Šimon Vratko Želmír Blažej"),
        _words("Hôr Potôč Jaseň Dúbrav Kôst"),
        _words("ovčan ičiak anský eňák"),
        (("Jaseňová Dolina", ""),),
        accented=("cs", "sk"),
    ),
    Land(
        "RUS", 0.04,
        _words("Arseny Bogdan Demid Gleb Lavr Prokhor Savely Timur Yefim"),
        _words("Berez Gor Kamysh Lug Ozer Ryab Tikh"),
        _words("ovetsky inichev atkin elnikov ushansky"),
        (("Novogorye", ""), ("Ozersk-na-Ryabi", "")),
    ),
    Land(
        "CHE", 0.015,
        _words("Reto Urs Beat Jürg Köbi Sepp"),
        _words("Matt Rüegg Brünn Stauf Zumb"),
        _words("enalp isegger ühler achmatt"),
        (("Oberalpwil", ""),),
    ),
    Land(
        "DEU", 0.015,
        _words("Götz Jörn Lutz Rüdiger Uwe Falk"),
        _words("Eich Grün Stein Löw Rött"),
        _words("wäldner brücker hövel mühlen"),
        (("Bad Eichgrund", ""),),
    ),
    Land(
        "DNK", 0.005,
        _words("Søren Jørn Bjørk Asger"),
        _words("Sønder Kjær Grøn Løv"),
        _words("gårdsen holtved strupsen"),
        (("Sønderlund", ""),),
    ),
    Land(
        "LVA", 0.005,
        _words("Jānis Krišs Mārcis Ģirts"),
        _words("Bērz Kalniņ Ozol Lāč"),
        _words("upsons ājums eniņš"),
        (("Bērzkalns", ""),),
    ),
)  # fmt: skip
_PLAIN: Final = str.maketrans("áčďéěíĺľňóôŕřšťúůýžäÁČĎÉĚÍĽŇÓŘŠŤÚÝŽ", "acdeeillnoorrstuuyzaACDEEILNORSTUYZ")


class Person(NamedTuple):
    """A name and where its bearer was born."""

    first: Text
    last: Text
    city: Text
    state: Text
    country: str


def person(rng: Random) -> Person:
    """Somebody new."""
    land = rng.choices(LANDS, [land.share for land in LANDS])[0]
    town, state = rng.choice(land.towns)
    last = rng.choice(land.heads) + rng.choice(land.tails)
    if land.country == "RUS" and rng.random() < 0.3:
        last += "-" + rng.choice(land.heads) + "in"
    return Person(
        text(rng.choice(land.firsts), land),
        text(last, land),
        text(town, land),
        (("default", state),) if state else (),
        land.country,
    )


def text(words: str, land: Land) -> Text:
    """Localized words: accents dropped from the default form where that country's names are written so."""
    if not land.accented:
        return (("default", words),)
    plain = words.translate(_PLAIN)
    return (("default", plain), *((lang, words) for lang in land.accented)) if plain != words else (("default", words),)


def official(rng: Random) -> Text:
    """A referee, a linesman or a coach: one full name."""
    who = person(rng)
    return (("default", f"{dict(who.first)['default']} {dict(who.last)['default']}"),)
