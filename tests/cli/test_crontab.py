"""The daily run: its lines between markers, the rest of the crontab unchanged, and the line run as cron runs it."""

import subprocess
from collections.abc import Callable
from datetime import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhl_lake.cli import crontab, schedule
from nhl_lake.errors import BadInput
from tests.support.commands import CommandResult

Cli = Callable[..., CommandResult]
OTHERS = "MAILTO=me\n# >>> nhl-lake /another >>>\n0 1 * * * nhl-lake ingest\n# <<< nhl-lake /another <<<\n@daily backup"

CRONTAB = """#!/bin/sh
if [ "$1" = "-l" ]; then
    [ -f "$TAB" ] || { echo "no crontab for me" >&2; exit 1; }
    cat "$TAB"
else
    cat > "$TAB.new" && mv "$TAB.new" "$TAB"
fi
"""
SYSTEMCTL = """#!/bin/sh
echo "$@" >> "$CALLS"
"""


def job(root: Path = Path("/lakes/mine"), hour: int = 9, **said: object) -> crontab.CronJob:
    known = {"program": ("/bin/python", "-m", "nhl_lake"), "settings": {"NHL_LAKE_ROOT": str(root)}}
    rest = {"folder": Path("/lakes"), "log": Path("/var/log/nhl lake.log")}
    return crontab.CronJob(**{"root": root, "at": time(hour, 30), **known, **rest, **said})  # type: ignore[arg-type]


def test_a_line_has_time_folder_settings_and_log():
    line = crontab.format_block(job()).splitlines()[1]

    assert line == (
        "30 9 * * * cd /lakes && NHL_LAKE_ROOT=/lakes/mine /bin/python -m nhl_lake ingest --lookback 1 --wait 10m"
        " --quiet >> '/var/log/nhl lake.log' 2>&1"
    )


def test_a_percent_sign_is_escaped_because_it_is_a_new_line_to_cron():
    assert r"NHL_LAKE_ROOT='/my lakes/100\%' " in crontab.format_block(job(Path("/my lakes/100%")))


TABS = st.lists(st.sampled_from(["", "# a comment", "0 1 * * * other", "MAILTO=x", *OTHERS.splitlines()])).map(
    "\n".join
)


@given(TABS, st.booleans())
def test_the_rest_of_a_crontab_does_not_change(tab: str, newline: bool):  # noqa: FBT001
    tab += "\n" * (newline and bool(tab))
    with_job = crontab.install_block(tab, job())

    assert with_job.startswith(tab)
    assert crontab.remove_block(with_job, job().root).rstrip("\n") == tab.rstrip("\n")
    assert crontab.install_block(with_job, job()) == with_job
    assert crontab.find_block(with_job, job().root) == crontab.format_block(job()).rstrip("\n")
    assert crontab.find_block(tab, job().root) is None


def test_a_new_time_replaces_the_old_one():
    twice = crontab.install_block(crontab.install_block(OTHERS, job()), job(hour=6))

    assert twice == crontab.install_block(OTHERS, job(hour=6))
    assert twice.count("nhl-lake /lakes/mine >>>") == 1


def test_units_escape_special_characters_of_systemd():
    units = crontab.make_all_units(job(settings={"NHL_LAKE_ROOT": '/a "b" 100%\\$x'}))
    service, timer = (
        next(text for name, text in units.items() if name.endswith(kind)) for kind in ("service", "timer")
    )

    assert 'Environment="NHL_LAKE_ROOT=/a \\"b\\" 100%%\\\\$x"' in service  # only commands expand variables
    assert 'ExecStart="/bin/python" "-m" "nhl_lake" "ingest" "--lookback" "1" "--wait" "10m" "--quiet"' in service
    assert "OnCalendar=*-*-* 09:30:00" in timer


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine whose crontab is a file, and whose systemctl only records its calls."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, text in (("crontab", CRONTAB), ("systemctl", SYSTEMCTL)):
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    monkeypatch.setenv("TAB", str(tmp_path / "tab"))
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_install_show_and_remove_leave_the_rest_of_the_crontab(machine: Path, run_here: Cli):
    (machine / "tab").write_text(OTHERS)
    root, log = machine / "lake", str(machine / "logs" / "run.log")

    installed = run_here("schedule", "install", "--at", "06:15", "--log", log, "--yes", root=root)
    assert installed.code == 0, installed.err
    shown = run_here("schedule", "show", root=root)
    assert (machine / "tab").read_text().startswith(f"{OTHERS}\n# >>> nhl-lake {root} >>>\n15 6 * * * cd {machine} && ")
    assert shown.out.strip() in (machine / "tab").read_text()
    assert f"NHL_LAKE_BACKUPS={machine}/lake-backups" in shown.out

    assert run_here("schedule", "remove", "--yes", root=root).out.endswith("Removed.\n")
    assert (machine / "tab").read_text() == f"{OTHERS}\n"
    assert "No daily run" in run_here("schedule", "show", root=root).out
    assert "No daily run" in run_here("schedule", "remove", root=root).out


def test_nothing_changes_without_confirmation(machine: Path, run_here: Cli):
    root = machine / "lake"
    declined = run_here("schedule", "install", root=root)

    assert declined.code == 1
    assert "# >>> nhl-lake" in declined.out  # the change is shown before the question
    assert not (machine / "tab").exists()


def test_install_and_remove_as_json_print_what_they_did_and_ask_nothing(machine: Path, run_here: Cli):
    root, words = machine / "lake", ("--log", str(machine / "log"), "--json")

    asked = run_here("schedule", "install", *words, root=root)
    installed = run_here("schedule", "install", "--at", "06:15", "--maintain", "--yes", *words, root=root).json
    line = run_here("schedule", "show", "--json", root=root).json["crontab"]

    assert (asked.code, asked.out) == (2, "")
    assert not (machine / "log").exists()
    assert "--json does not ask for confirmation" in asked.err
    assert installed["runs"] == [
        {"command": "ingest", "at": "06:15", "is_weekly": False},
        {"command": "maintain", "at": "08:15", "is_weekly": True},
    ]
    assert run_here("schedule", "remove", "--yes", "--json", root=root).json == {"crontab": line, "systemd": None}
    assert run_here("schedule", "remove", "--json", root=root).json == {"crontab": None, "systemd": None}


def test_the_setting_now_does_not_go_into_the_line(machine: Path, run_here: Cli):
    words = ("schedule", "install", "--yes", "--log", str(machine / "log"))
    run_here(*words, root=machine / "lake", api="league:", now="2025-10-20T12:00:00Z")

    assert "NHL_LAKE_API=league:" in (machine / "tab").read_text()
    assert "NHL_LAKE_NOW" not in (machine / "tab").read_text()


def test_the_line_runs_as_cron_runs_it_without_any_environment(machine: Path, run_here: Cli):
    root = machine / "lake's own"
    log = machine / "logs" / "100%.log"
    run_here("schedule", "install", "--yes", "--log", str(log), root=root, api="http://127.0.0.1:1")
    line = (machine / "tab").read_text().splitlines()[1]
    command = line.split(" ", 5)[5].replace(r"\%", "%")

    ended = subprocess.run(
        ["/bin/sh", "-c", command.replace("ingest --lookback 1 --wait 10m --quiet", "status")],
        env={},
        cwd="/",
        check=False,
    )

    assert ended.returncode != 0
    assert log.read_text().splitlines()[0] == f"Error: There is no lake at {root}."


def test_a_machine_without_crontab_is_an_error(machine: Path, run_here: Cli, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", str(machine))
    ended = run_here("schedule", "install", "--yes", root=machine / "lake")

    assert ended.code == 1
    assert len(ended.err.splitlines()) == 2
    assert ended.err.startswith("Error: This machine has no crontab.")
    assert "No daily run" in run_here("schedule", "show", root=machine / "lake").out


def test_a_crontab_that_cannot_be_read_is_never_written(machine: Path, run_here: Cli):
    (machine / "bin" / "crontab").write_text("#!/bin/sh\necho 'you are not allowed' >&2\nexit 1\n")
    ended = run_here("schedule", "install", "--yes", root=machine / "lake")

    assert ended.code == 1
    assert "you are not allowed" in ended.err


def test_a_timer_is_two_files_and_remove_removes_them(machine: Path, run_here: Cli):
    root, units = machine / "lake", machine / "config" / "systemd" / "user"
    installed = run_here("schedule", "install", "--systemd", "--yes", "--log", str(machine / "log"), root=root)
    assert installed.code == 0, installed.err

    name = crontab.name_unit(root)
    assert {file.name for file in units.iterdir()} == {f"{name}.service", f"{name}.timer"}
    assert f"--user enable --now {name}.timer" in (machine / "calls").read_text()
    assert "OnCalendar=*-*-* 09:00:00" in run_here("schedule", "show", root=root).out
    run_here("schedule", "remove", "--yes", root=root)
    assert list(units.iterdir()) == []
    assert f"--user disable --now {name}.timer" in (machine / "calls").read_text()


ALL = ("schedule", "install", "--backup", "--maintain", "--at", "22:30", "--yes")


def test_backups_and_maintenance_have_their_own_lines_which_are_shown_first(machine: Path, run_here: Cli):
    root, log = machine / "lake", ("--log", str(machine / "log"))
    asked = run_here(*(word for word in ALL if word != "--yes"), *log, root=root, backups=machine / "other disk")
    shown = run_here("schedule", "show", root=root, backups=machine / "other disk").out
    assert (asked.code, (machine / "tab").exists()) == (1, False)
    assert "No daily run" in shown

    installed = run_here(*ALL, *log, root=root, backups=machine / "other disk")
    assert installed.code == 0, installed.err
    assert "ingest every day at 22:30, backup every day at 23:30, maintain on Sundays at 00:30." in installed.out
    lines = (machine / "tab").read_text().splitlines()[1:-1]
    assert [line.split(" cd ")[0] for line in lines] == ["30 22 * * *", "30 23 * * *", "30 0 * * 0"]
    assert ["ingest" in line for line in lines] == [True, False, False]
    assert f"NHL_LAKE_BACKUPS='{machine}/other disk'" in lines[1]
    assert " backup create --wait 10m --quiet >>" in lines[1]
    assert " maintain --wait 10m --quiet >>" in lines[2]
    assert all(line in asked.out for line in lines)
    assert run_here("schedule", "install", "--yes", *log, root=root).code == 0
    assert len((machine / "tab").read_text().splitlines()) == 3, "without the options, the timers are removed"


def test_daily_backups_need_a_location(machine: Path, run_here: Cli):
    ended = run_here(*ALL, root=machine / "lake")

    assert (ended.code, len(ended.err.splitlines())) == (2, 2)
    assert "Set NHL_LAKE_BACKUPS" in ended.err
    assert not (machine / "tab").exists()


def test_each_run_has_a_timer_and_remove_removes_all(machine: Path, run_here: Cli):
    root, units = machine / "lake", machine / "config" / "systemd" / "user"
    log = ("--log", str(machine / "log"), "--systemd")
    assert run_here(*ALL, *log, root=root, backups=machine / "other").code == 0

    names = [crontab.name_unit(root, run) for run in (crontab.INGEST, crontab.BACKUP, crontab.MAINTAIN)]
    assert {file.name for file in units.iterdir()} == {f"{n}.{kind}" for n in names for kind in ("service", "timer")}
    assert "OnCalendar=Sun *-*-* 00:30:00" in (units / f"{names[2]}.timer").read_text()
    assert 'ExecStart="' in (units / f"{names[1]}.service").read_text()
    assert '"backup" "create" "--wait" "10m" "--quiet"' in (units / f"{names[1]}.service").read_text()
    assert run_here("schedule", "install", "--yes", *log, root=root).code == 0
    assert {file.name for file in units.iterdir()} == {f"{names[0]}.service", f"{names[0]}.timer"}
    run_here(*ALL, *log, root=root, backups=machine / "other")
    run_here("schedule", "remove", "--yes", root=root)
    assert list(units.iterdir()) == []


def test_where_no_systemd_runs_nothing_is_written(machine: Path, run_here: Cli):
    (machine / "bin" / "systemctl").write_text("#!/bin/sh\necho 'Failed to connect to bus' >&2\nexit 1\n")
    ended = run_here("schedule", "install", "--systemd", "--yes", "--log", str(machine / "log"), root=machine / "lake")

    assert (ended.code, len(ended.err.splitlines())) == (1, 2)
    assert not (machine / "config").exists()


@pytest.mark.parametrize("at", ["9", "25:00", "nine", "09:60"])
def test_an_invalid_time_is_named(machine: Path, run_here: Cli, at: str):
    ended = run_here("schedule", "install", "--at", at, root=machine / "lake")

    assert (ended.code, ended.err.splitlines()[0]) == (2, f"Error: Invalid option: --at {at} is not a time of day.")


@pytest.mark.parametrize("character", ["\n", "\r", "\x00", "\x1b", "\u2028"])
def test_control_characters_reach_neither_a_crontab_nor_a_unit(
    machine: Path, run_here: Cli, monkeypatch: pytest.MonkeyPatch, character: str
):
    evil = f"x{character}* * * * * touch /tmp/owned"
    words = ("schedule", "install", "--yes", "--log", str(machine / "log"))
    attempts: list[tuple[tuple[str, ...], dict[str, object]]] = []
    if character != "\x00":  # the environment cannot hold it
        attempts += [
            (words, {"root": machine / evil}),
            (words, {"root": machine / "lake", "api": f"http://host/{evil}"}),
            (words, {"root": machine / "lake", "backups": machine / evil}),
            (words, {"root": machine / "lake", "cluster": f"tcp://{evil}"}),
        ]
    attempts.append(((*words[:3], "--log", str(machine / evil)), {"root": machine / "lake"}))
    for command, keywords in attempts:
        for extra in ((), ("--systemd",)):
            ended = run_here(*command, *extra, **keywords)
            assert ended.code == 2, (command, keywords)
            assert len(ended.err.splitlines()) == 2
    if character != "\x00":
        (machine / evil.replace("/", "-")).mkdir()
        monkeypatch.chdir(machine / evil.replace("/", "-"))
        assert run_here(*words, root=machine / "lake").code == 2
    assert not (machine / "tab").exists()
    assert not (machine / "config").exists()


def test_a_unit_holds_no_path_whose_end_its_line_would_lose():
    for folder in ("/a\\", "/a "):
        with pytest.raises(BadInput, match="ends in a blank or a backslash"):
            crontab.make_all_units(job(folder=Path(folder)))


def test_a_schedule_for_a_bucket_says_which_credentials_it_will_have(
    machine: Path, run_here: Cli, monkeypatch: pytest.MonkeyPatch
):
    for name in (*schedule.STORE_VARIABLES, *schedule.KEY_VARIABLES):
        monkeypatch.delenv(name, raising=False)
    words = ("schedule", "install", "--yes", "--log", str(machine / "log"))
    lake: dict[str, Any] = {"root": "s3://bucket/lake"}

    without = run_here(*words, **lake)
    assert without.code == 0, without.err
    assert "For s3://bucket/lake the runs use the role of this machine; without one they will fail." in without.out

    (machine / "tab").unlink()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key-of-the-shell")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-of-the-shell")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://store.example")
    refused = run_here(*words, **lake)
    assert refused.code == 2
    assert "would have no credentials for s3://bucket/lake" in refused.err
    assert not (machine / "tab").exists()

    (machine / "tab").write_text("AWS_ACCESS_KEY_ID=a\nAWS_SECRET_ACCESS_KEY = b\n")
    with_keys = run_here(*words, **lake)
    assert with_keys.code == 0, with_keys.err
    assert "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY as set there" in with_keys.out
    text = (machine / "tab").read_text()
    assert "AWS_ENDPOINT_URL=https://store.example" in text
    assert "of-the-shell" not in text

    assert run_here(*words, "--systemd", **lake).code == 2
    (machine / "config" / "environment.d").mkdir(parents=True)
    (machine / "config" / "environment.d" / "nhl-lake.conf").write_text(
        "AWS_ACCESS_KEY_ID=a\nAWS_SECRET_ACCESS_KEY=b\n"
    )
    assert run_here(*words, "--systemd", **lake).code == 0

    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", "/var/run/token")
    by_role = run_here(*words, "--systemd", **lake)
    assert "the role of AWS_WEB_IDENTITY_TOKEN_FILE" in by_role.out
    assert run_here("schedule", "install", "--yes", "--log", str(machine / "log"), root=machine / "lake").code == 0


def test_a_schedule_has_the_url_and_shows_its_host(machine: Path, run_here: Cli):
    url = "https://hc.example/a-secret?a=1&b=%20"
    where = {"root": machine / "lake", "now": "2026-04-01T13:00:00Z"}
    installed = run_here("schedule", "install", "--yes", "--ping", url, **where)
    tab = (machine / "tab").read_text()
    shown = run_here("schedule", "show", **where)
    as_json = run_here("schedule", "show", "--json", **where)
    systemd = run_here("schedule", "install", "--yes", "--systemd", "--ping", url, **where)
    units = [run_here("schedule", *words, **where) for words in (("show",), ("remove", "--yes", "--json"))]

    assert "NHL_LAKE_PING='https://hc.example/a-secret?a=1&b=\\%20'" in tab
    said = [one.out + one.err for one in (installed, shown, as_json, systemd, *units)]
    assert not any("a-secret" in text for text in said)
    assert all("https://hc.example/***" in text for text in said)
