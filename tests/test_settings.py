"""Settings: which source wins, where each value comes from, and invalid values."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr

from nhl_lake import open_lake, settings
from nhl_lake.cli import docs
from nhl_lake.errors import BadInput
from nhl_lake.settings import ENV_PREFIX, SETTINGS_FILE, Settings


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    for name in [name for name in os.environ if name.startswith(ENV_PREFIX)]:
        monkeypatch.delenv(name)
    (tmp_path / "work").mkdir()
    (tmp_path / "root").mkdir()
    monkeypatch.chdir(tmp_path / "work")


def origins() -> dict[str, str]:
    return {setting.name: setting.origin for setting in settings.load()[1]}


def test_without_environment_or_file_every_setting_has_its_default(tmp_path: Path):
    chosen, shown = settings.load()

    assert chosen == Settings(
        root=Path("data/lake"), api=None, now=None, rate=4.0, concurrency=4, backups="data/lake-backups"
    )
    assert {setting.origin for setting in shown} == {"default"}
    assert all(setting.description for setting in shown)
    assert [setting.name for setting in shown] == list(Settings.model_fields)
    assert list((tmp_path / "work").iterdir()) == []


def test_the_environment_wins_over_the_file_in_the_lake_over_the_file_in_the_working_folder_over_the_default(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    assert (settings.load()[0].rate, origins()["rate"]) == (4, "default")

    here = tmp_path / "work" / SETTINGS_FILE
    here.write_text("rate = 3")
    assert (settings.load()[0].rate, origins()["rate"]) == (3, str(here))

    monkeypatch.setenv("NHL_LAKE_ROOT", str(tmp_path / "root"))
    assert (settings.load()[0].rate, origins()["rate"]) == (3, str(here))

    in_the_root = tmp_path / "root" / SETTINGS_FILE
    in_the_root.write_text("rate = 2")
    assert (settings.load()[0].rate, origins()["rate"]) == (2, str(in_the_root))

    monkeypatch.setenv("NHL_LAKE_RATE", "1")
    assert (settings.load()[0].rate, origins()["rate"]) == (1, "environment (NHL_LAKE_RATE)")


def test_a_setting_that_the_environment_lacks_comes_from_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    (tmp_path / "work" / SETTINGS_FILE).write_text('root = "elsewhere"\nconcurrency = 2\n')
    monkeypatch.setenv("NHL_LAKE_CONCURRENCY", "7")

    chosen, shown = settings.load()

    assert (chosen.root, chosen.concurrency) == (Path("elsewhere"), 7)
    found = {setting.name: (setting.value, setting.origin) for setting in shown}
    assert found["root"] == (Path("elsewhere"), str(tmp_path / "work" / SETTINGS_FILE))
    assert found["concurrency"] == (7, "environment (NHL_LAKE_CONCURRENCY)")
    assert found["api"] == (None, "default")


def test_every_setting_can_be_set_in_the_environment(monkeypatch: pytest.MonkeyPatch):
    values = {
        "root": "/lake",
        "api": "http://127.0.0.1:8000/",
        "now": "2023-11-10T07:00:00-05:00",
        "rate": "0",
        "concurrency": "8",
        "backups": "s3://bucket/lake",
        "cluster": "tcp://first:8786",
        "second_looks": "7, 1",
        "backup_key": "a key of the tests",
        "with": "edge, odds",
        "ping": "https://hc.example/a-secret",
        "log_format": "json",
    }
    for name, value in values.items():
        monkeypatch.setenv(f"{ENV_PREFIX}{name.upper()}", value)

    chosen, _ = settings.load()

    assert set(values) == set(Settings.model_fields)
    assert chosen == Settings(
        root=Path("/lake"),
        api="http://127.0.0.1:8000",
        now=datetime(2023, 11, 10, 12, tzinfo=UTC),
        rate=0,
        concurrency=8,
        backups="s3://bucket/lake",
        cluster="tcp://first:8786",
        second_looks=(1, 7),
        backup_key="a key of the tests",
        **{"with": ("edge", "odds")},
        ping="https://hc.example/a-secret",
        log_format="json",
    )
    assert chosen.with_pages == ("edge", "odds")
    assert "a key of the tests" not in f"{chosen!r} {chosen}"
    assert "a-secret" not in f"{chosen!r} {chosen}"


@pytest.mark.parametrize(
    ("root", "backups"),
    [
        ("data/lake", "data/lake-backups"),
        ("/srv/nhl", "/srv/nhl-backups"),
        ("s3://bucket/a/lake", "s3://bucket/a/lake-backups"),
        ("s3://bucket", "s3://bucket-backups"),
    ],
)
def test_backups_are_next_to_the_lake_by_default(root: str, backups: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NHL_LAKE_ROOT", root)
    assert str(settings.load()[0].backups) == backups


def test_backups_of_the_folder_above_are_next_to_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("NHL_LAKE_ROOT", "..")
    assert settings.load()[0].backups == tmp_path.with_name(f"{tmp_path.name}-backups")


def test_now_is_converted_to_utc(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NHL_LAKE_NOW", "2023-11-10T12:00:00+01:00")

    now = settings.load()[0].now

    assert now is not None
    assert now.isoformat() == "2023-11-10T11:00:00+00:00"


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("RATE", "fast", "number"),
        ("RATE", "-1", "greater than or equal to 0"),
        ("RATE", "nan", "greater than or equal to 0"),
        ("CONCURRENCY", "0", "greater than or equal to 1"),
        ("CONCURRENCY", "65", "less than or equal to 64"),
        ("CONCURRENCY", "2.5", "integer"),
        ("NOW", "yesterday", "datetime"),
        ("NOW", "2023-11-10T12:00:00", "time zone"),
        ("API", "api-web.nhle.com", "http://"),
        ("API", "ftp://api-web.nhle.com", "http://"),
    ],
)
def test_an_invalid_value_in_the_environment_is_named_in_two_lines(
    name: str, value: str, reason: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv(f"{ENV_PREFIX}{name}", value)

    with pytest.raises(BadInput) as error:
        settings.load()

    assert error.value.message.startswith(f"Invalid setting: NHL_LAKE_{name} = {value!r}: ")
    assert reason in error.value.message
    assert error.value.hint
    assert len(str(error.value).splitlines()) == 2


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ('rate = "fast"', "rate"),
        ("rate = -1", "rate"),
        ('concurrency = "many"', "concurrency"),
        ("now = 2023-11-10T12:00:00", "now"),
        ('speed = "fast"', "speed"),
        ("[rate]\nlimit = 3", "rate"),
    ],
)
def test_an_invalid_value_in_a_file_is_named_with_the_file_in_two_lines(line: str, named: str, tmp_path: Path):
    file = tmp_path / "work" / SETTINGS_FILE
    file.write_text(line)

    with pytest.raises(BadInput) as error:
        settings.load()

    kind = "Unknown" if named == "speed" else "Invalid"
    assert error.value.message.startswith(f"{kind} setting: {named} in {file}")
    assert len(str(error.value).splitlines()) == 2


@pytest.mark.parametrize("content", [b"rate 4", b"rate = ", b'root = "\xff"', b"\x00"])
def test_a_file_that_is_not_toml_is_named_in_two_lines(content: bytes, tmp_path: Path):
    file = tmp_path / "work" / SETTINGS_FILE
    file.write_bytes(content)

    with pytest.raises(BadInput) as error:
        settings.load()

    assert error.value.message.startswith(f"{file} is not TOML: ")
    assert len(str(error.value).splitlines()) == 2


def test_now_may_be_a_toml_timestamp(tmp_path: Path):
    (tmp_path / "work" / SETTINGS_FILE).write_text("now = 2023-11-10T12:00:00Z")

    assert settings.load()[0].now == datetime(2023, 11, 10, 12, tzinfo=UTC)


@pytest.mark.parametrize(("text", "days"), [("none", ()), ("", ()), ("2.5", (2.5,))])
def test_second_looks_are_days_or_none(text: str, days: tuple[float, ...], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NHL_LAKE_SECOND_LOOKS", text)

    assert settings.load()[0].second_looks == days


@pytest.mark.parametrize(("text", "names"), [("none", ()), ("", ()), ("odds", ("odds",))])
def test_optional_pages_are_names_or_none(text: str, names: tuple[str, ...], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NHL_LAKE_WITH", text)

    assert settings.load()[0].with_pages == names


def test_optional_pages_in_the_file_are_a_list(tmp_path: Path):
    (tmp_path / "work" / SETTINGS_FILE).write_text('with = ["edge"]')

    assert settings.load()[0].with_pages == ("edge",)


@pytest.mark.parametrize("text", ["edge,,odds", "../edge", "EDGE", "a b", "edge\nodds"])
def test_optional_pages_that_are_not_names_are_rejected(text: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NHL_LAKE_WITH", text)

    with pytest.raises(BadInput, match="NHL_LAKE_WITH"):
        settings.load()


@pytest.mark.parametrize("text", ["often", "1,,3", "0", "-1", "400", "nan"])
def test_second_looks_that_are_not_days_are_rejected(text: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NHL_LAKE_SECOND_LOOKS", text)

    with pytest.raises(BadInput, match="NHL_LAKE_SECOND_LOOKS"):
        settings.load()


def test_a_tilde_is_the_home_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NHL_LAKE_ROOT", "~/lake")
    monkeypatch.setenv("NHL_LAKE_BACKUPS", "~/env=prod/backups")  # nothing reads backups as partitions: = is allowed
    (tmp_path / "home" / "lake").mkdir(parents=True)
    (tmp_path / "home" / "lake" / SETTINGS_FILE).write_text("rate = 2")

    chosen, _ = settings.load()

    assert chosen.root == tmp_path / "home" / "lake"
    assert chosen.backups == tmp_path / "home" / "env=prod" / "backups"
    assert chosen.rate == 2
    monkeypatch.setenv("NHL_LAKE_ROOT", "~nobody-of-this-name/lake")
    with pytest.raises(BadInput, match="Invalid setting: NHL_LAKE_ROOT"):
        settings.load()


@pytest.mark.parametrize(
    ("root", "sign"),
    [("/a=b/lake", "="), ("/a\tb", r"\\t"), ("/a\nb", r"\\n"), ("/a\x7fb", r"\\x7f"), ("s3://bucket/day=1", "=")],
)
def test_a_folder_name_that_the_engines_misread_is_rejected(root: str, sign: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NHL_LAKE_ROOT", root)

    with pytest.raises(BadInput, match=f"Folder names may not contain {sign}"):
        settings.load()
    with pytest.raises(BadInput, match=f"Folder names may not contain {sign}"):
        open_lake(root)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("cluster", "tcp://elsewhere:8786"),
        ("api", "https://elsewhere.example"),
        ("root", "s3://elsewhere/lake"),
        ("backups", "s3://elsewhere/backups"),
        ("ping", "https://elsewhere.example/"),
    ],
)
def test_a_working_folder_cannot_send_or_run_anything_elsewhere(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, value: str
):
    here = tmp_path / "work" / SETTINGS_FILE
    here.write_text(f'{name} = "{value}"\n')

    with pytest.raises(BadInput, match=f"{name} in .* is not used") as error:
        settings.load()
    assert f"--config {SETTINGS_FILE}" in error.value.hint

    with monkeypatch.context() as patch:
        patch.setenv(settings.CONFIG_VARIABLE, SETTINGS_FILE)
        assert read_plain(name) == value
    with monkeypatch.context() as patch:  # the environment wins: the file's value is not used
        mine = {"cluster": "tcp://mine:1", "api": "league:", "ping": "https://mine.example/"}
        patch.setenv(f"{ENV_PREFIX}{name.upper()}", mine.get(name, "mine"))
        settings.load()
    if name != "root":
        monkeypatch.setenv("NHL_LAKE_ROOT", str(tmp_path / "root"))
        here.rename(tmp_path / "root" / SETTINGS_FILE)
        assert read_plain(name) == value


def read_plain(name: str) -> str:
    """Return the value of a setting as text, also of a secret one."""
    value = getattr(settings.load()[0], name)
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://hc.example/a-secret", "hc.example/a-secret", "https://me:pass@hc.example/a-secret",
        "https://hc.example/a-secret x", "https://hc.example/a-secret'", 'https://hc.example/a-secret"', "https://",
        "https://hc.example/a-secret\n* * * * * touch /tmp/owned", "https://hc.example/a-secret$(touch x)", "",
    ],
)  # fmt: skip
def test_an_invalid_url_to_ping_is_rejected_and_not_repeated(url: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NHL_LAKE_PING", url)

    with pytest.raises(BadInput, match=r"NHL_LAKE_PING = \*\*\*: write https://host/path") as error:
        settings.load()
    assert "a-secret" not in str(error.value)


def test_the_reference_of_settings_in_the_documents_is_current():
    written = Path(__file__).resolve().parents[1] / "docs" / "reference" / "settings.md"
    assert written.read_text() == docs.render_settings_page()


def test_harmless_settings_of_a_working_folder_are_used_and_a_missing_file_is_an_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    (tmp_path / "work" / SETTINGS_FILE).write_text('root = "mine"\nbackups = "disk"\napi = "league:"\nrate = 1\n')
    assert settings.load()[0].api == "league:"

    monkeypatch.setenv(settings.CONFIG_VARIABLE, "elsewhere.toml")
    with pytest.raises(BadInput, match=r"There is no file elsewhere\.toml"):
        settings.load()


@pytest.mark.parametrize("name", ["root", "api", "backups", "cluster", "rate", "second_looks", "with", "now"])
def test_no_setting_has_control_characters(monkeypatch: pytest.MonkeyPatch, name: str):
    monkeypatch.setenv(f"{ENV_PREFIX}{name.upper()}", "http://x\n* * * * * touch /tmp/owned")

    with pytest.raises(BadInput):
        settings.load()
