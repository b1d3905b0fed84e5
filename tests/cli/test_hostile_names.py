"""Names on pages are text: no command takes them for markup, obeys their controls, or ends because of them."""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from nhl_lake.ingest.client import RateLimit
from nhl_lake.ingest.run import ClientConfig
from tests.conftest import make_once
from tests.support.commands import CommandResult
from tests.support.fake_api import NOON, FakeApi, FakeGame, run_ingest

TEAM, OTHER_TEAM = "[/RED]", "[BOLD]"
FIRST_NAME, LAST_NAME = "[/red]Ada\x1b]0;owned\x07", "Berg[bold]\x1b[31m\u202e\nAll is well: \x9b2J"
PLACE = "[link=https://example.com]Hall[/link]\x1b[2J\n:smile:\x00"
HOSTILE = {"AAA": TEAM, "BBB": OTHER_TEAM, "Ada": FIRST_NAME, "Berg": LAST_NAME, "Glass Hall": PLACE, "Alphas": PLACE}
NEXT = FakeGame(8, start=NOON + timedelta(days=1), state="FUT")
OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]")

Run = Callable[..., CommandResult]


class HostileApi(FakeApi):
    """A fake API with names that are markup and control characters."""

    def make_response(self, path: str) -> httpx.Response:
        found = super().make_response(path)
        text = found.text
        for name, hostile in HOSTILE.items():
            text = text.replace(json.dumps(name), json.dumps(hostile))
        return httpx.Response(found.status_code, text=text)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    games = [FakeGame(n, start=NOON - timedelta(days=5 - n)) for n in range(1, 4)]

    def make(root: Path) -> None:
        run_ingest(root, HostileApi([*games, NEXT]), rebuilds=True)
        games[0].scorer = 8900002
        run_ingest(root, HostileApi([*games, NEXT]), rebuilds=True, now=NOON + timedelta(hours=20))

    return make_once(tmp_path_factory, "hostile_lake", make)


GAME = str(FakeGame(1).id)
COMMANDS = {
    "check": (),
    f"trace {GAME}": (),
    "status": ("[BOLD] at [/RED]",),
    "upcoming --days 5": (TEAM, OTHER_TEAM),
    "upcoming --shooters 5": ("[/red]Ada␛]0;owned␇",),
    f"game {GAME}": ("[BOLD] at [/RED]", "Berg[bold]␛[31m\\u202e␊All is well: \\x9b2J"),
    f"game {NEXT.id}": ("[BOLD] at [/RED]",),
    "player 8900001": ("[/red]Ada␛]0;owned␇ Berg[bold]␛[31m\\u202e␊All is well",),
    "player berg": ("[/red]Ada",),
    "player [/red]berk": (),
    "team [/red]": (OTHER_TEAM,),
    "team [/green]": ("[/green]",),
    "leaders --by goals": (TEAM,),
    "corrections": (),
    "runs": (),
    "tables": (),
    "predict": (),
    "show silver.players": ("[/red]Ada",),
    "show silver.games --columns venue": ("[link=https://example.com]",),
    "show silver.standings --columns team_name": ("[link=https://example.com]",),
    "sql --format json selectq": (),
    "sql selectq": ("[/red]Ada",),
    "ingest --dry-run --verbose": (),
    "doctor": (),
    "rebuild": (),
    "settings": (),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_names_are_printed_as_they_are(command: str, lake: Path, run_here: Run):
    words = [word if word != "selectq" else "select first_name from silver.players" for word in command.split()]

    ended = run_here(*words, root=lake, now=NOON + timedelta(hours=21), api="http://127.0.0.1:9")

    said = ended.out + ended.err
    assert OBEYED.findall(said) == []
    in_one_line = " ".join(said.split())  # a narrow screen breaks a long name
    for name in COMMANDS[command]:
        assert name in in_one_line
    assert "\nAll is well: \\x9b" not in said


def test_a_run_prints_what_it_refuses(tmp_path: Path, run_here: Run, monkeypatch: pytest.MonkeyPatch):
    api = HostileApi([FakeGame(1), NEXT])
    api.fail_request = lambda path: httpx.Response(200, text=f"<p>{FIRST_NAME}") if "boxscore" in path else None
    limit = RateLimit(rate=0, concurrency=4, user_agent="nhl-lake tests", first_backoff_s=0.001)
    config = ClientConfig(rate_limit=limit, base_url="http://fake", transport=api.make_transport())
    monkeypatch.setattr("nhl_lake.cli.ingest.make_client_config", lambda *_: config)

    ended = [run_here(*words, root=tmp_path / "lake", now=NOON) for words in (["ingest"], ["status"])]

    assert ended[0].code == 3
    for said in (ended[0].out, ended[0].err, ended[1].out):
        assert OBEYED.findall(said) == []
    assert "[/red]Ada" in ended[0].out
