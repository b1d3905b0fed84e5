"""Settings: from the environment, then `nhl-lake.toml`, then defaults; and where each comes from.

The file is the one that `--config` names, or that of the lake's folder, or that of the working folder. The last one may
come with a download: what would make this machine run or send something elsewhere is not taken from it.
"""

import os
import re
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple
from urllib.parse import urlsplit

from pydantic import Field, PlainValidator, SecretStr, ValidationError, ValidationInfo, create_model, field_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from nhl_lake.clock import FIRST_YEAR, LAST_YEAR
from nhl_lake.errors import BadInput, redact_secrets
from nhl_lake.hockey.seasons import SECOND_LOOKS
from nhl_lake.store.location import (
    S3_SCHEME,
    Bucket,
    Location,
    is_control_character,
    parse_location,
    require_backups_name,
    require_lake_name,
)

ENV_PREFIX = "NHL_LAKE_"
SETTINGS_FILE = "nhl-lake.toml"
MIN_KEY_LENGTH = 16
NAME = re.compile(r"[a-z-]+")
CONFIG_VARIABLE = f"{ENV_PREFIX}CONFIG"  # set by `--config`
REMOTE_SETTINGS = {"root", "api", "cluster", "backups", "ping"}
SECRET_SETTINGS = {"backup_key", "ping"}
LEAGUE_API = "league:"
PING_URL = re.compile(r"https?://[\w.\-:\[\]]+(?:[/?][\w.\-~:/?=&+,;!@%]*)?", re.ASCII)


def parse_location_setting(text: object) -> Location:
    """Return the location that a setting names."""
    if not isinstance(text, str | Path | Bucket):
        raise ValueError("not a folder and not s3://bucket/prefix")
    try:
        return parse_location(text)
    except BadInput as error:
        raise ValueError(error.hint.rstrip(".")) from error


LocationSetting = Annotated[Location, PlainValidator(parse_location_setting)]


def name_backups(root: Location) -> Location:
    """Return the default location of a lake's backups: next to it, so that two lakes never share one."""
    if isinstance(root, Bucket):
        return root.with_name(f"{root.name}-backups") if root.prefix else Bucket(f"{root.bucket}-backups")
    named = root if root.name not in {"", ".."} else root.resolve()
    return named.with_name(f"{named.name}-backups") if named.name else Path("/lake-backups")


WITH = Field((), description="optional pages that every ingest requests: landing,edge,reports,odds, or none")
if TYPE_CHECKING:
    WithSetting = BaseSettings
else:  # a class body cannot declare `with`, which is a word of Python
    fields = {"with": (Annotated[tuple[str, ...], NoDecode], WITH)}
    WithSetting = create_model("WithSetting", __base__=BaseSettings, **fields)


class Settings(WithSetting):
    """All settings. Nothing else in the program reads the environment."""

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, extra="forbid", frozen=True)

    root: LocationSetting = Field(Path("data/lake"), description="folder of the lake, or s3://bucket/prefix")
    api: str | None = Field(
        None, description="base URL instead of the NHL's three hosts; `league:` is the sample league"
    )
    now: datetime | None = Field(None, description="time to use instead of the clock, for trials: 2023-11-10T12:00:00Z")
    rate: float = Field(4.0, ge=0, description="requests a second over all hosts; 0: no limit")
    concurrency: int = Field(4, ge=1, le=64, description="concurrent requests")
    second_looks: Annotated[tuple[float, ...], NoDecode] = Field(
        SECOND_LOOKS,
        description="days after a game at which its pages are fetched again: 1,3,7,30, or none",
    )
    cluster: str | None = Field(None, description="address of the Dask scheduler for `rebuild`: tcp://host:8786")
    backups: LocationSetting = Field(
        default_factory=lambda values: name_backups(values["root"]),
        description="location of the backups, a folder or s3://bucket/prefix; by default next to the lake",
    )
    backup_key: SecretStr | None = Field(
        None, description="secret of at least 16 characters: signs backups, and refuses backups without its signature"
    )
    ping: SecretStr | None = Field(
        None,
        description="URL that `ingest` requests at its end: as it is after exit code 0, with /fail after any other",
    )
    log_format: Literal["text", "json"] = Field(
        "text", description="format of what goes to stderr: text, or one JSON object a line"
    )

    @field_validator("backup_key")
    @classmethod
    def _check_key(cls, key: SecretStr | None) -> SecretStr | None:
        if key is not None and len(key.get_secret_value()) < MIN_KEY_LENGTH:
            raise ValueError(f"use at least {MIN_KEY_LENGTH} characters, for example of `openssl rand -hex 32`")
        return key

    @field_validator("api", "cluster", mode="before")
    @classmethod
    def _refuse_control_characters(cls, value: object) -> object:
        # settings go into crontabs and units: a line break there begins a line of its own
        if isinstance(value, str) and any(map(is_control_character, value)):
            raise ValueError("line breaks and other control characters are not allowed")
        return value

    @field_validator("ping")
    @classmethod
    def _check_ping(cls, ping: SecretStr | None) -> SecretStr | None:
        if ping is not None and not PING_URL.fullmatch(ping.get_secret_value()):
            # it goes into crontabs and units, where what it shows is found by this form
            raise ValueError("write https://host/path, without a password, blanks or quotes")
        return ping

    @field_validator("root", "backups")
    @classmethod
    def _check_folder(cls, root: Location) -> Location:
        if isinstance(root, Bucket):
            return root
        if not str(root).strip(". ") and str(root) != "..":
            raise ValueError("this is the working folder; use a folder of its own")
        if root.exists() and not root.is_dir():
            raise ValueError("this is a file; use a folder")
        return root

    @field_validator("root", "backups")
    @classmethod
    def _check_name(cls, place: Location, field: ValidationInfo) -> Location:
        try:
            return require_lake_name(place) if field.field_name == "root" else require_backups_name(place)
        except BadInput as error:
            raise ValueError(error.message.rpartition(": ")[2].rstrip(".")) from error

    @property
    def with_pages(self) -> tuple[str, ...]:
        """The setting `with`: names of optional pages."""
        names: tuple[str, ...] = getattr(self, "with")
        return names

    @field_validator("with", mode="before")
    @classmethod
    def _parse_names(cls, names: object) -> object:
        """Parse names: `edge,odds` in the environment, a list in the file, or `none`."""
        if isinstance(names, str):
            names = [] if names.strip() in {"", "none"} else names.split(",")
        if not isinstance(names, list | tuple) or not all(NAME.fullmatch(str(name).strip()) for name in names):
            raise ValueError("write names as edge,odds, or none")
        return tuple(str(name).strip() for name in names)

    @field_validator("second_looks", mode="before")
    @classmethod
    def _parse_days(cls, days: object) -> object:
        """Parse days: `1,3,7,30` in the environment, a list in the file, or `none`."""
        if isinstance(days, str):
            days = [] if days.strip() in {"", "none"} else days.split(",")
        try:
            found = sorted(float(day) for day in days)  # type: ignore[attr-defined]
        except (TypeError, ValueError) as error:
            raise ValueError("write days as 1,3,7,30, or none") from error
        if any(not 0 < day <= 366 for day in found):
            raise ValueError("days must be more than 0 and at most 366")
        return tuple(found)

    @field_validator("now")
    @classmethod
    def _require_time_zone(cls, now: datetime | None) -> datetime | None:
        if now is not None and now.tzinfo is None:
            raise ValueError("add the time zone: 2023-11-10T12:00:00Z")
        if now is not None and not FIRST_YEAR <= now.year <= LAST_YEAR:
            raise ValueError(f"use a time from {FIRST_YEAR} to {LAST_YEAR}")
        return now.astimezone(UTC) if now else None

    @field_validator("api")
    @classmethod
    def _check_address(cls, api: str | None) -> str | None:
        if api is None or api == LEAGUE_API:
            return api
        parts = urlsplit(api)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.port == 0:
            raise ValueError("write http://host or https://host with an optional port, or league:")
        if "@" in parts.netloc or parts.query or parts.fragment:
            # bronze stores the URL with every page, and commands print it
            raise ValueError("a URL with a password or a query is not allowed")
        return api.rstrip("/")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment win over the values of the file, which come as arguments."""
        return env_settings, init_settings


class Setting(NamedTuple):
    """One setting: its value, where the value comes from, and what it is for."""

    name: str
    value: object
    origin: str
    description: str


def describe_default(name: str) -> str:
    """Return the default of a setting for a reader."""
    default = Settings.model_fields[name].default
    if name == "backups":
        return "the root with `-backups`"
    if isinstance(default, tuple):
        return f"`{','.join(f'{number:g}' for number in default)}`"
    return "none" if default is None else f"`{default:g}`" if isinstance(default, float) else f"`{default}`"


def load() -> tuple[Settings, list[Setting]]:
    """Read the settings, and find where each comes from."""
    environ, folder = os.environ, Path.cwd()
    candidates: list[Path] = []
    with suppress(BadInput):  # reading the setting itself raises it
        location = parse_location(environ.get(f"{ENV_PREFIX}ROOT", "data/lake"))
        candidates = [location / SETTINGS_FILE] if isinstance(location, Path) else []
    here = folder / SETTINGS_FILE
    if config := environ.get(CONFIG_VARIABLE):
        candidates, here = [Path(config)], Path(config)
        if not here.is_file():
            raise BadInput(f"There is no file {config}.", "Give --config the settings file to use.")
    file, values = read_settings_file((*candidates, here))
    if file == here and file not in candidates:
        require_harmless(file, {name: value for name, value in values.items() if name not in find_set_names(environ)})
    try:
        settings = Settings(**values)
    except ValidationError as error:
        raise explain_invalid_setting(error, environ, file) from error
    return settings, [
        Setting(name, getattr(settings, name), find_origin(name, environ, file, values), about.description or "")
        for name, about in Settings.model_fields.items()
    ]


def find_set_names(environ: Mapping[str, str]) -> set[str]:
    """Return the names of the settings that the environment has: these win over a file."""
    return {name for name in Settings.model_fields if f"{ENV_PREFIX}{name.upper()}" in environ}


def require_harmless(file: Path, values: Mapping[str, Any]) -> None:
    """Raise if the file of a working folder would make this machine run or send something elsewhere."""
    for name, value in values.items():
        is_remote = str(value).startswith(S3_SCHEME) if name in {"root", "backups"} else value != LEAGUE_API
        if name in REMOTE_SETTINGS and is_remote:
            raise BadInput(
                f"{name} in {file} is not used: it sends or runs something elsewhere, and the file is not the lake's.",
                f"If you trust it: --config {SETTINGS_FILE}. Or set {ENV_PREFIX}{name.upper()}.",
            )


def read_settings_file(candidates: tuple[Path, ...]) -> tuple[Path | None, dict[str, Any]]:
    """Read the first settings file that exists."""
    for file in candidates:
        if file.is_file():
            try:
                return file, tomllib.loads(file.read_text())
            except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
                raise BadInput(f"{file} is not TOML: {error}", "Correct that line, or move the file away.") from error
    return None, {}


def find_origin(name: str, environ: Mapping[str, str], file: Path | None, values: Mapping[str, Any]) -> str:
    """Return where a setting comes from."""
    if f"{ENV_PREFIX}{name.upper()}" in environ:
        return f"environment ({ENV_PREFIX}{name.upper()})"
    return str(file) if name in values else "default"


def explain_invalid_setting(error: ValidationError, environ: Mapping[str, str], file: Path | None) -> BadInput:
    """Return an error that names the invalid setting, its value, and where it is set."""
    first = error.errors()[0]
    name = str(first["loc"][0]) if first["loc"] else "settings"
    variable = f"{ENV_PREFIX}{name.upper()}"
    source = variable if variable in environ else f"{name} in {file}"
    reason = str(first["msg"]).removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        near = get_close_matches(name, Settings.model_fields, n=1)
        hint = f"Did you mean {near[0]}?" if near else f"The settings are {', '.join(Settings.model_fields)}."
        return BadInput(f"Unknown setting: {name} in {file}.", hint)
    hint = "Correct it, or remove it to use the default. `nhl-lake settings` lists all settings."
    shown = "***" if name in SECRET_SETTINGS else redact_secrets(repr(first["input"]))
    return BadInput(f"Invalid setting: {source} = {shown}: {reason}.", hint)
