"""How commands are registered: by panel, with examples, and with the options that every command takes."""

import inspect
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Annotated, Any, NamedTuple, get_args, get_origin

import typer
from typer.core import TyperCommand, TyperGroup

GET_DATA, ASK, PREDICT, PROTECT, OPERATE = PANELS = ("Get data", "Ask", "Predict", "Protect", "Operate")
GLOBAL_PANEL = "Global options"

Root = Annotated[
    str | None,
    typer.Option(
        "--root", metavar="URI", help="Lake to use: DIR or s3://… Default: NHL_LAKE_ROOT.", rich_help_panel=GLOBAL_PANEL
    ),
]
Config = Annotated[
    str | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="Settings file to trust and use. Default: nhl-lake.toml of the lake's folder, or the working folder.",
        rich_help_panel=GLOBAL_PANEL,
    ),
]
Wait = Annotated[
    str | None,
    typer.Option(
        "--wait",
        metavar="TIME",
        help="How long to wait for another run to end: 600, 10m, 1h. Default: 5 s.",
        rich_help_panel=GLOBAL_PANEL,
    ),
]
LogFormat = Annotated[
    str | None,
    typer.Option(
        "--log-format",
        metavar="FORMAT",
        help="What goes to stderr: text, or json, one object a line. Default: text.",
        rich_help_panel=GLOBAL_PANEL,
    ),
]
MAX_NUMBER = 2**31 - 1  # ids, rows, games: what an engine takes for a number of rows


class GlobalOptions(NamedTuple):
    """The options that stand before a command or after it."""

    root: str | None = None
    wait: str | None = None
    config: str | None = None
    log_format: str | None = None


def hide_flag_types(params: list[Any]) -> list[Any]:
    """Let the help show no type for flags: `<bool>` is noise."""
    for param in params:
        if getattr(param, "is_flag", False):
            param.metavar = ""
    return params


class Command(TyperCommand):
    """A command with a tidy help."""

    def get_params(self, ctx: Any) -> list[Any]:  # noqa: ANN401 - a class that Typer does not export
        """Return the parameters; flags without a type."""
        return hide_flag_types(super().get_params(ctx))


class CommandGroup(TyperGroup):
    """A group that lists its commands by panel."""

    def get_params(self, ctx: Any) -> list[Any]:  # noqa: ANN401 - as above
        """Return the parameters; flags without a type."""
        return hide_flag_types(super().get_params(ctx))

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]
        """Return the names of the commands in the order of the panels."""
        return sorted(self.commands, key=self.get_rank)

    def get_rank(self, name: str) -> tuple[int, bool]:
        """Return the position of a command: by panel; in its panel, the group `backup` comes first."""
        panel = getattr(self.commands[name], "rich_help_panel", None)
        return PANELS.index(panel) if panel in PANELS else -1, name != "backup"


def make_group(about: str, *, completion: bool = False) -> typer.Typer:
    """Return an empty group of commands."""
    return typer.Typer(
        cls=CommandGroup,
        no_args_is_help=True,
        rich_markup_mode="rich",
        add_completion=completion,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
        help=about,
    )


def add_command(
    group: typer.Typer,
    function: Callable[..., None],
    name: str,
    *,
    examples: Sequence[str] = (),
    panel: str | None = None,
    hidden: bool = False,
) -> None:
    """Add a command to a group. Its help is the function's docstring, then the examples."""
    summary, *rest = inspect.cleandoc(function.__doc__ or "").split("\n\n")
    text = escape_markup("\n\n".join([summary.rstrip("."), *(" ".join(paragraph.split()) for paragraph in rest)]))
    epilog = "\n".join(["Examples:", *(f"  {escape_markup(example)}" for example in examples)]) if examples else None
    decorate = group.command(name, cls=Command, help=text, epilog=epilog, rich_help_panel=panel, hidden=hidden)
    decorate(add_global_options(function))


def escape_markup(text: str) -> str:
    r"""Return a text in which Rich finds no markup: `[x]` as `\[x]`."""
    return text.replace("[", r"\[")


def remove_escapes(text: str | None) -> str:
    """Return a help text as it is read, without what `escape_markup` added; nothing for None."""
    return (text or "").replace(r"\[", "[")


@contextmanager
def use_variable(name: str, value: str | None) -> Iterator[None]:
    """Let the settings see an option as a variable of the environment while the block runs."""
    before = os.environ.get(name)
    if value is not None:
        os.environ[name] = value
    try:
        yield
    finally:
        if value is not None:
            os.environ.pop(name) if before is None else os.environ.update({name: before})


def bound_number(annotation: Any) -> None:  # noqa: ANN401 - any annotation of a parameter
    """Give an option that takes a whole number a range, if it has none: a number out of it is a usage error."""
    kind, *details = get_args(annotation) if get_origin(annotation) is Annotated else (annotation,)
    if int in {kind, *get_args(kind)}:
        for info in details:
            info.min = 0 if info.min is None else info.min
            info.max = MAX_NUMBER if info.max is None else info.max


def add_global_options(function: Callable[..., None]) -> Callable[..., None]:
    """Return a function that also takes the global options, and sets them while the given one runs."""

    own = inspect.signature(function, eval_str=True).parameters
    for parameter in own.values():
        bound_number(parameter.annotation)

    def run(
        context: typer.Context,
        *,
        root: str | None,
        config: str | None,
        wait: str | None,
        log_format: str | None,
        **arguments: object,
    ) -> None:
        before = context.obj or GlobalOptions()
        with ExitStack() as stack:
            if "root" in own:
                arguments["root"] = root or before.root
            else:
                stack.enter_context(use_variable("NHL_LAKE_ROOT", root or before.root))
            stack.enter_context(use_variable("NHL_LAKE_CONFIG", config or before.config))
            stack.enter_context(use_variable("NHL_LAKE_LOG_FORMAT", log_format or before.log_format))
            if (text := wait or before.wait) is not None:
                from nhl_lake.cli.options import parse_wait
                from nhl_lake.store.locks import wait_for_lock

                stack.enter_context(wait_for_lock(parse_wait(text)))
            function(**arguments)

    extra = (
        inspect.Parameter("root", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Root),
        inspect.Parameter("config", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Config),
        inspect.Parameter("wait", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Wait),
        inspect.Parameter("log_format", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=LogFormat),
    )
    first = inspect.Parameter("context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)
    parameters = [first, *(own | {parameter.name: parameter for parameter in extra}).values()]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    run.__doc__ = function.__doc__
    return run
