"""docs/TABLES.md and docs/CLI.md, rendered from the catalog and the command line."""

import typer
from typer.testing import CliRunner

from nhl_lake.catalog import TABLES
from nhl_lake.cli.commands import CommandGroup
from nhl_lake.schema.table import Column, Endpoint, Table, VersionPolicy

LAYER_DESCRIPTIONS = {
    "bronze": "Pages of the NHL's API as served. It only grows: nothing in this program deletes or overwrites a row.",
    "silver": "One clean table for each thing that the API talks about; made again from bronze, offline.",
    "gold": "Answers: whose numbers, and per what; made again from silver, offline.",
    "lake": "The lake's own ledger.",
}
GENERATED_NOTE = "Made by `make docs`; a test keeps it current."


def render_tables_page() -> str:
    """Return the data dictionary: every table with its grain, key, source and columns."""
    parts = ["# Tables", "", GENERATED_NOTE, "", "| table | one row is |", "| --- | --- |"]
    parts += [f"| [{t.name}](#{make_anchor(t)}) | {t.grain} |" for t in TABLES]
    for layer, about in LAYER_DESCRIPTIONS.items():
        parts += ["", f"## {layer}", "", about]
        for table in TABLES:
            if table.layer == layer:
                parts += ["", *render_table(table)]
    return "\n".join(parts) + "\n"


def make_anchor(table: Table) -> str:
    """Return the link target of a table's heading."""
    return table.name.replace(".", "")


def render_table(table: Table) -> list[str]:
    """Return the lines on one table."""
    lines = [f"### {table.name}", "", f"One row is {table.grain}. Key: {', '.join(f'`{k}`' for k in table.key)}."]
    lines += ["", *describe_source(table)]
    if table.checks:
        lines += ["", "Held true: " + "; ".join(table.checks) + "."]
    lines += ["", "| column | type | unit | meaning |", "| --- | --- | --- | --- |"]
    return lines + [render_column(column) for column in table.columns]


def describe_source(table: Table) -> list[str]:
    """Say where the rows of a table come from."""
    if isinstance(table.source, Endpoint):
        keeps = "newest version" if table.version_policy is VersionPolicy.LATEST else "every distinct version"
        volatile = ", ".join(f"`{key}`" for key in sorted(table.source.ignored_keys))
        about = [f"From `{table.source.host}/{table.source.path}`; keeps the {keeps} of a page."]
        about += ["", f"Requested {table.source.request.describe()}."]
        return [*about, "", f"No new version for a change in: {volatile}."] if volatile else about
    if table.source is None:
        return ["Written by the runs."]
    text = " ".join((table.source.__doc__ or "").split())
    return [f"Made from {', '.join(f'`{read.name}`' for read in table.inputs)}. {text}"]


def render_column(column: Column) -> str:
    """Return the line on one column."""
    dtype = str(column.dtype).split("(", maxsplit=1)[0] if "Struct" in str(column.dtype) else str(column.dtype)
    about = column.description + (" (null: unknown)" if column.nullable else "")
    return f"| `{column.name}` | {dtype} | {column.unit} | {about} |"


def render_commands_page(app: typer.Typer) -> str:
    """Return the help of every command, as Markdown."""
    runner = CliRunner(env={"COLUMNS": "80", "TERMINAL_WIDTH": "80", "TERM": "dumb"})
    parts = ["# Commands", "", GENERATED_NOTE]
    for words in ([], *list_commands(typer.main.get_command(app))):
        help_text = runner.invoke(app, [*words, "--help"], prog_name="nhl-lake").output
        lines = [line.rstrip() for line in help_text.strip("\n").splitlines()]
        parts += ["", f"## {' '.join(['nhl-lake', *words])}", "", "```", *lines, "```"]
    return "\n".join(parts) + "\n"


def list_commands(group: object) -> list[list[str]]:
    """Return the words of every command that is not hidden; those of a group follow the group."""
    if not isinstance(group, CommandGroup):
        return []
    commands = [(name, group.commands[name]) for name in sorted(group.commands, key=group.get_rank)]
    return [[name, *rest] for name, command in commands if not command.hidden for rest in ([], *list_commands(command))]
