"""Write the manual page of the command line, `man nhl-lake`, as troff with the macros of man(7)."""

from collections.abc import Iterator

import typer
from typer.core import TyperCommand

from nhl_lake.cli.commands import CommandGroup, remove_escapes
from nhl_lake.cli.docs_commands import list_commands
from nhl_lake.settings import ENV_PREFIX, Settings

EXIT_CODES = {
    0: "Done.",
    1: "An error, in two lines: what happened, and what to run next.",
    2: "A wrong option or setting.",
    3: "Something is missing or incomplete. Later runs fetch it again.",
    130: "Stopped by the user.",
}


def render_manual(app: typer.Typer) -> str:
    """Return the manual page of all commands that are not hidden."""
    program = typer.main.get_command(app)
    assert isinstance(program, CommandGroup)
    lines = ['.TH NHL-LAKE 1 "" "nhl-lake" "User Commands"']
    lines += [".SH NAME", f"nhl-lake \\- {quote(shorten(program.help))}"]
    lines += [".SH SYNOPSIS", ".B nhl-lake", "[\\fIOPTIONS\\fR] \\fICOMMAND\\fR [\\fIARGS\\fR]..."]
    lines += [".SH OPTIONS", *render_options(program), ".SH COMMANDS"]
    for words, command in list_commands(program):
        lines += [f".SS {quote(' '.join(words))}", *render_command(command)]
    lines += [".SH EXIT STATUS"]
    for code, about in EXIT_CODES.items():
        lines += [".TP", f".B {code}", quote(about)]
    lines += [".SH ENVIRONMENT"]
    for name, field in Settings.model_fields.items():
        lines += [".TP", f".B {ENV_PREFIX}{name.upper()}", quote(f"{field.description}.")]
    return "\n".join(lines) + "\n"


def render_command(command: TyperCommand | CommandGroup) -> Iterator[str]:
    """Yield the lines on a command: what it does, its arguments and options, its examples."""
    paragraphs = remove_escapes(command.help).split("\n\n")
    yield quote(paragraphs[0].rstrip(".") + ".")
    for paragraph in paragraphs[1:]:
        yield from (".PP", quote(" ".join(paragraph.split())))
    yield from render_options(command)
    for line in remove_escapes(command.epilog).splitlines()[1:]:
        yield from (".PP", ".EX", quote(line.strip()), ".EE")


def render_options(command: object) -> Iterator[str]:
    """Yield the lines on the arguments and options of a command."""
    for param in getattr(command, "params", ()):
        text = getattr(param, "help", None)
        if getattr(param, "hidden", False) or not text:
            continue
        is_argument = param.param_type_name == "argument"
        title = param.name.upper() if is_argument else ", ".join([*param.opts, *param.secondary_opts])
        value = "" if is_argument or getattr(param, "is_flag", False) else f" \\fI{quote(param.metavar or 'VALUE')}\\fR"
        yield from (".TP", f"\\fB{quote(title)}\\fR{value}", quote(" ".join(text.split())))


def shorten(text: str | None) -> str:
    """Return the first line of a help text, without its full stop."""
    return (text or "").partition("\n")[0].rstrip(".")


def quote(text: str) -> str:
    """Return a text in which troff finds no request and no escape, and keeps hyphens as they are."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{text}" if text.startswith((".", "'")) else text
