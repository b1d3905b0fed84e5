"""Pages of the sample league with odd values, taken through the whole road: ingest, rebuild, commands, exports."""

import json
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import httpx
import msgspec
import polars as pl
import stamina.instrumentation
from polars.testing import assert_frame_equal
from typer.testing import CliRunner

from nhl_lake import catalog
from nhl_lake.bronze import endpoints
from nhl_lake.cli.app import app
from nhl_lake.errors import LakeError
from nhl_lake.ingest.client import RateLimit
from nhl_lake.ingest.run import ClientConfig, IngestSummary, Options, ingest
from nhl_lake.league import League
from nhl_lake.league.transport import LeagueTransport
from tests.support.commands import LEAGUE_NOW, make_environment
from tests.support.fake_api import SilentReport
from tests.support.lakes import BUILT_TABLES, read_rows, read_sorted_rows

NOW = datetime.fromisoformat(LEAGUE_NOW)
DEEP = "[" * 50 + "]" * 50
ODD = (
    "null", "true", "false", "0", "-1", "1", "99999", "3000000000", "1.5", "-0", "1e5", "1e-7", "1e999", "-1e999",
    "NaN", "Infinity", str(2**31), str(2**53), str(2**63), str(-(2**63) - 1), str(2**64), "9" * 400, "9" * 5000,
    "0." + "3" * 400, '""', '"x"', '"7"', '"00:00"', '"99:99"', '"99999999999999999:00"', '"1551"', '"9999"',
    '"0001-01-01"', '"9999-12-31"', '"2026-02-30"', '"0001-01-01T00:00:00+14:00"', '"9999-12-31T23:59:59-14:00"',
    '"2026-01-01T00:00:00Z"', '"-99:00"', '"20252026"', '"[/red]"', '"[bold]x[/]"', '":smile:"',
    '"\\u001b[2J\\u001b]0;x\\u0007"', '"\\u202ex"', '"a\\nb\\r\\tc"', '"\\u0000"', '"\\ud800"', '"\\udc00\\ud800"',
    '"=1+2"', "\"'; drop table x; --\"", '"../../../x"', '"{x}%s"', '"é漢😀"', '"' + "x" * 50_000 + '"',
    "[]", "{}", "[[]]", '{"default":1}', '{"default":"[/red]"}', "[1,null,{}]", DEEP,
)  # fmt: skip
LEFT_ALONE = 0.2  # of the games, chosen by their id
READING = (
    "check", "status", "status --json", "runs", "corrections --since 400d", "corrections --json --since 400d", "tables",
    "doctor", "leaders", "leaders --by save_share --min-games 1", "upcoming --days 5", "upcoming --shooters 5",
    "predict",
)  # fmt: skip
EXPORTS = {"csv": "csv", "parquet": "parquet", "sqlite": "all.sqlite", "xlsx": "all.xlsx", "duckdb": "all.duckdb"}
EARLIER_GAMES = {  # of a game, but from those before it
    "gold.sog_features", "gold.sog_predictions", "gold.game_predictions",
}  # fmt: skip


class Truth(NamedTuple):
    """An undamaged lake: its rows and its pages."""

    rows: dict[str, pl.DataFrame]
    pages: dict[str, pl.DataFrame]


@dataclass
class Tally:
    """What a round did, and the harm that it saw."""

    changed: int = 0
    refused: int = 0
    quarantined: int = 0
    commands: int = 0
    compared_rows: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    harm: list[str] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        """Add another round."""
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)

    def describe(self) -> str:
        """Return what was done in a line, and a line for each harm."""
        facts = f"{self.changed:,} changed pages, {self.refused:,} refused, {self.quarantined:,} subjects quarantined"
        kinds = ", ".join(f"{name} {count:,}" for name, count in self.kinds.most_common())
        rows = f"{self.commands} commands, {self.compared_rows:,} rows of other games compared, {len(self.harm)} harms"
        return "\n".join([f"{facts}, {rows} ({kinds})", *self.harm])


def is_victim(game_id: int) -> bool:
    """Whether the pages of a game may be changed."""
    return Random(game_id).random() > LEFT_ALONE


def list_places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every place of a page: the object or list, and the key or index in it."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in inner:
        yield value, key
        yield from list_places(below)


def change_values(page: Any, dice: Random) -> bytes:
    """Return a page as JSON, with one to three odd values, or keys that are there twice."""
    literals = []
    for number in range(dice.choice([1, 1, 1, 2, 3])):
        places = list(list_places(page))
        if not places:
            break
        where, key = dice.choice(places)
        literal = dice.choice(ODD)
        if isinstance(where, dict) and dice.random() < 0.05:
            literal = f"{json.dumps(where[key])}, {json.dumps(key)}: {literal}"
        where[key] = f"\x1a{number}\x1a"
        literals.append((json.dumps(where[key]), literal))
    text = json.dumps(page)
    for mark, literal in literals:
        text = text.replace(mark, literal)
    return text.encode()


def change_text(page: str, dice: Random) -> bytes:
    """Return a report with some other characters."""
    for _ in range(dice.randint(1, 3)):
        start = dice.randrange(len(page))
        odd = dice.choice(
            ["", "<td>", "</td></tr>", "99:99", "[/red]", "\x1b[2J", "\x00", "9" * 50, "x" * 5000, "&#0;"]
        )
        page = page[:start] + odd + page[start + dice.randint(0, 30) :]
    return page.encode()


class FuzzingTransport(LeagueTransport):
    """The league, with pages of victims changed: the same change each time that a page is fetched."""

    def __init__(self, seed: int, tally: Tally) -> None:
        super().__init__(League(seed=1, seasons=(20242025, 20252026)), lambda: NOW)
        self.seed, self.tally = seed, tally
        self.changed: set[str] = set()

    def _build_response(self, request: httpx.Request, fate: Any) -> httpx.Response:
        found = super()._build_response(request, fate)
        path = request.url.raw_path.decode()
        dice = Random(f"{self.seed}{path}")
        body = self.change_page(path, found.content, dice) if found.status_code == 200 else None
        if body is None:
            return found
        if path not in self.changed:
            self.changed.add(path)
            self.tally.changed += 1
            self.tally.kinds[name_kind(path)] += 1
        return httpx.Response(200, content=body, headers=found.headers)

    def change_page(self, path: str, body: bytes, dice: Random) -> bytes | None:
        """Return the changed body of a page; None if the page stays."""
        kind = name_kind(path)
        if kind == "schedule":
            return change_week(json.loads(body), dice)
        if kind in {"play-by-play", "boxscore", "right-rail", "shiftcharts", "report"}:
            if not is_victim(find_game(path)):
                return None
            if kind == "shiftcharts" and dice.random() < 0.3:
                return b'{"data":[],"total":0}'  # so that the reports are read
            return change_text(body.decode(), dice) if kind == "report" else change_values(json.loads(body), dice)
        share = {"player": 0.2, "roster": 0.3, "standings": 0.3, "team": 0.3, "season": 0.3}.get(kind, 0.5)
        return change_values(json.loads(body), dice) if dice.random() < share else None


def name_kind(path: str) -> str:
    """Return which page a path is of."""
    names = ("play-by-play", "boxscore", "right-rail", "shiftcharts", "schedule", "roster", "standings", "player")
    return next(
        (name for name in names if name in path), "report" if path.endswith(".HTM") else path.rpartition("/")[2]
    )


def find_game(path: str) -> int:
    """Return the game of a path."""
    if path.endswith(".HTM"):
        season, report = path.split("/")[-2:]
        return int(season[:4] + report[2:8])
    digits = path.rpartition("=")[2] if "shiftcharts" in path else path.split("/")[3]
    return int(digits.removeprefix("%3D")[-10:])


def change_week(week: Any, dice: Random) -> bytes | None:
    """Return a week of the schedule with changed entries of some victims; None without any."""
    literals = []
    for day in week["gameWeek"]:
        for place, entry in enumerate(day["games"]):
            if is_victim(entry["id"]) and dice.random() < 0.3 and is_json(changed := change_values(entry, dice)):
                day["games"][place] = f"\x1aentry{entry['id']}\x1a"
                literals.append((json.dumps(day["games"][place]), changed.decode()))
    text = json.dumps(week)
    for mark, literal in literals:
        text = text.replace(mark, literal)
    return text.encode() if literals else None


def is_json(text: bytes) -> bool:
    """Whether a change leaves the rest of a page readable: what is no JSON costs the whole page, and rightly so."""
    try:
        msgspec.json.decode(text, type=msgspec.Raw)
    except msgspec.DecodeError:
        return False
    return True


def run_ingest(root: Path, transport: httpx.AsyncBaseTransport, since: str, now: datetime = NOW) -> IngestSummary:
    """Ingest and rebuild."""
    stamina.instrumentation.set_on_retry_hooks([])  # it would print each
    limit = RateLimit(rate=0, concurrency=4, user_agent="nhl-lake tests", first_backoff_s=0.001)
    config = ClientConfig(rate_limit=limit, base_url="http://league", transport=transport)
    return ingest(
        root, Options(since=date.fromisoformat(since)), config,
        clock=lambda: now, progress=SilentReport(), command="nhl-lake ingest", rebuilds=True,
    )  # fmt: skip


def make_truth(root: Path, since: str) -> Truth:
    """Make an undamaged lake, and return what it has."""
    run_ingest(root, LeagueTransport(League(seed=1, seasons=(20242025, 20252026)), lambda: NOW), since)
    return Truth(
        {table.name: read_sorted_rows(root, table) for table in BUILT_TABLES},
        {table.name: read_rows(root, table) for table in endpoints.GAME_PAGE_RULES},
    )


def fuzz_lake(root: Path, truth: Truth, since: str, seed: int, *, every: int = 1) -> Tally:
    """Take changed pages through the whole road, and return the harm done. Run every n-th command."""
    tally = Tally()
    transport = FuzzingTransport(seed, tally)
    for what, step in (
        ("ingest", lambda: count_refused(tally, run_ingest(root, transport, since))),
        ("commands", lambda: run_commands(root, tally, seed % every, every)),
        ("rows", lambda: compare_rows(root, truth, tally)),
        ("again", lambda: run_ingest(root, transport, since, NOW + timedelta(hours=2))),
        ("rows again", lambda: compare_rows(root, truth, tally)),
    ):
        try:
            step()
        except LakeError:
            continue
        except BaseException as error:
            tally.harm.append(f"seed {seed}, {what}: {''.join(traceback.format_exception(error))[-3000:]}")
    quarantine = read_rows(root, catalog.find_table("silver.quarantine"))
    tally.quarantined = quarantine["subject"].n_unique()
    return tally


def count_refused(tally: Tally, summary: IngestSummary) -> None:
    """Count the pages that a run refused."""
    tally.refused += sum(counts.failed for counts in summary.page_counts.values())


def run_commands(root: Path, tally: Tally, first: int, every: int) -> None:
    """Run every n-th reading command and export, from one on; an end other than an exit code is harm."""
    games = read_rows(root, catalog.find_table("silver.games"))
    final = games.filter(pl.col("game_state").is_in(["OFF", "FINAL"])).sort("game_id")["game_id"].to_list()
    victims = [game for game in final if is_victim(game)][:3]
    players = read_rows(root, catalog.find_table("silver.players"))["player_id"].to_list()[:2]
    teams = sorted(set(games["home_team_abbrev"]))[:3]
    words = [command.split() for command in READING]
    words += [[name, str(game)] for game in victims for name in ("game", "trace")]
    words += [["player", str(player)] for player in players] + [["team", team] for team in teams]
    words += [["show", table.name] for table in BUILT_TABLES]
    words += [["sql", f"select * from {table.name} limit 50", "--format", "csv"] for table in BUILT_TABLES]
    names = [table.name for table in BUILT_TABLES if not table.name.startswith("gold.sog")]
    for kind, to in EXPORTS.items():
        words.append(["export", *names, "--format", kind, "--to", str(root.parent / f"{root.name}-out" / to)])
    environment = make_environment(root, "http://127.0.0.1:9", NOW, {})
    for command in words[first::every]:
        ended = CliRunner().invoke(app, command, env=environment)
        tally.commands += 1
        is_error = ended.exception is not None and not isinstance(ended.exception, SystemExit | LakeError)
        if is_error or ("\x1b" in ended.stdout.replace("\r", "") and "csv" not in command):
            text = "".join(traceback.format_exception(ended.exception)) if is_error else "an escape sequence is printed"
            tally.harm.append(f"{' '.join(command)[:200]}: {text[-3000:]}")
        if command[0] == "export" and ended.exit_code != 0:
            reason = str(ended.exception)
            if "Excel sheet holds" not in reason:  # a text of 50,000 characters: an error that says so
                tally.harm.append(f"{' '.join(command)[:200]}: {reason[:500]}")


def compare_rows(root: Path, truth: Truth, tally: Tally) -> None:
    """Compare rows and pages of the games that were left alone with those of an undamaged lake."""
    for table in (*endpoints.GAME_PAGE_RULES, *BUILT_TABLES):
        is_page = table in endpoints.GAME_PAGE_RULES
        if not is_page and (table.chunk_key != "game_id" or table.name in EARLIER_GAMES):
            continue
        found = select_sound(read_rows(root, table)), select_sound((truth.pages if is_page else truth.rows)[table.name])
        key = ["game_id", "sha256"] if is_page else list(table.key)
        ours, theirs = (rows.select(key if is_page else truth.rows[table.name].columns).sort(key) for rows in found)
        tally.compared_rows += theirs.height
        try:
            assert_frame_equal(ours.unique(key).sort(key), theirs.unique(key).sort(key))
        except AssertionError as error:
            tally.harm.append(f"{table.name}: rows of games that were left alone differ: {str(error)[:600]}")


def select_sound(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of games that were left alone."""
    victims = [game for game in set(rows["game_id"]) if is_victim(game)]
    return rows.filter(~pl.col("game_id").is_in(victims))
