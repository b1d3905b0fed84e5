"""Write the reference of the command line as Markdown, from the commands themselves."""

import re
from collections.abc import Iterator

import typer
from typer.core import TyperCommand

from nhl_lake.cli.commands import GLOBAL_PANEL, PANELS, CommandGroup, remove_escapes

INTRODUCTION = """\
Every command takes `--help`. These options stand before a command or after it:

| option | meaning |
| --- | --- |
"""


def render_commands_page(app: typer.Typer, note: str) -> str:
    """Return the help of every command that is not hidden, as Markdown."""
    group = typer.main.get_command(app)
    assert isinstance(group, CommandGroup)
    commands = list(list_commands(group))
    lines = ["# Commands", "", f"This page has every command with its options. {note}", "", INTRODUCTION.rstrip()]
    lines += render_options(commands[0][1], is_global=True)
    for panel in PANELS:
        names = [name for name in group.list_commands(make_context(group)) if not group.commands[name].hidden]
        shown = [name for name in names if getattr(group.commands[name], "rich_help_panel", None) == panel]
        lines += ["", f"**{panel}**: " + ", ".join(f"[`{name}`](#nhl-lake-{name})" for name in shown) + "."]
    for words, command in commands:
        lines += ["", *render_command(words, command)]
    return "\n".join(lines) + "\n"


def make_context(command: TyperCommand | CommandGroup, words: tuple[str, ...] = ()) -> typer.Context:
    """Return the context in which a command describes itself."""
    return typer.Context(command, info_name=" ".join(["nhl-lake", *words]))


def list_commands(
    group: CommandGroup, before: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], TyperCommand | CommandGroup]]:
    """Yield the words of every command that is not hidden, and the command; those of a group follow the group."""
    for name in sorted(group.commands, key=group.get_rank):
        command = group.commands[name]
        assert isinstance(command, TyperCommand | CommandGroup)
        if not command.hidden:
            yield (*before, name), command
            if isinstance(command, CommandGroup):
                yield from list_commands(command, (*before, name))


def render_command(words: tuple[str, ...], command: TyperCommand | CommandGroup) -> list[str]:
    """Return the section of a command: what it does, its arguments and options, and examples."""
    lines = [f"{'#' * (1 + len(words))} nhl-lake {' '.join(words)}", ""]
    about = remove_escapes(command.help).strip()
    first, _, rest = about.partition("\n\n")
    lines += [f"{first}.", *(["", rest] if rest else [])]
    if isinstance(command, CommandGroup):
        return lines
    usage = command.get_usage(make_context(command, words)).removeprefix("Usage: ")
    lines += ["", "```text", " ".join(usage.split()), "```"]
    rows = list(render_options(command, words))
    lines += ["", "| argument or option | meaning |", "| --- | --- |", *rows] if rows else []
    examples = [line.removeprefix("  ") for line in remove_escapes(command.epilog).splitlines()[1:]]
    if examples:
        lines += ["", "<!-- not run: the documents run these commands where they explain them -->", "```sh"]
        lines += [*examples, "```"]
    return lines


def render_options(
    command: TyperCommand | CommandGroup, words: tuple[str, ...] = (), *, is_global: bool = False
) -> Iterator[str]:
    """Yield a row for each argument and option of a command; or for each global one."""
    context = make_context(command, words)
    for param in command.get_params(context):
        record = param.get_help_record(context)
        has_panel = getattr(param, "rich_help_panel", None) == GLOBAL_PANEL
        if record is not None and record[0] != "--help" and has_panel == is_global:
            yield f"| `{escape_cell(record[0])}` | {escape_cell(escape_placeholders(record[1]))} |"


def escape_placeholders(text: str) -> str:
    """Return a text of help in which Markdown finds no markup: a range such as 0<=x<=9 as code."""
    return re.sub(r"\[(\d\S*<=?x\S*|x>=\S*)\]", r"`[\1]`", " ".join(text.split()))


def escape_cell(text: str) -> str:
    """Return a text for a cell of a table."""
    return remove_escapes(text).replace("|", r"\|")
