"""The commands about files of other places: import them, compare them with gold."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nhl_lake.cli.options import Json, Quiet, format_command_line, load_settings
from nhl_lake.cli.output import print_text, write_out
from nhl_lake.errors import BadInput
from nhl_lake.text import format_count

if TYPE_CHECKING:
    from nhl_lake.ingest.external import Import
    from nhl_lake.queries.compare import Comparison

SOURCES = ("moneypuck", "predecessor")
MAX_ROWS_SHOWN = 60
Playoffs = Annotated[
    bool, typer.Option("--playoffs", help="A file of a season is about its playoffs: it does not say so itself.")
]
Source = Annotated[str, typer.Argument(help="Where the files come from: moneypuck or predecessor.")]


def import_command(
    source: Source,
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="CSV, Parquet file or folder, Delta table.")],
    kind: Annotated[
        str | None, typer.Option("--kind", metavar="NAME", help="Kind of the files: skaters. Default: by the columns.")
    ] = None,
    playoffs: Playoffs = False,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Import files of MoneyPuck or of the predecessor.

    They become tables of their own, `external.*`, beside those of the lake, for `sql`, `show` and `export`. No rebuild
    touches them. The same file again changes nothing. A newer file of a season replaces it. A file with an invalid row
    is refused as a whole.
    """
    from nhl_lake.cli import console
    from nhl_lake.ingest import external

    require_source(source, SOURCES)
    chosen, clock = load_settings()
    found = []
    for path in files:
        one = external.import_file(
            chosen.root,
            source,
            path,
            is_playoffs=playoffs,
            now=clock(),
            command=format_command_line(),
            kind=kind,
        )
        found.append(one)
        if not quiet and not json:
            print_text(describe_import(one))
    if json:
        write_out(console.format_json([one._asdict() for one in found]))


def require_source(source: str, sources: tuple[str, ...]) -> None:
    """Raise for a source that is not known."""
    if source not in sources:
        raise BadInput(f"Unknown source: {source}.", f"Sources are {', '.join(sources)}.")


def describe_import(found: "Import") -> str:
    """Return what an import did, in a line."""
    first, last = found.seasons[0], found.seasons[-1]
    seasons = f"season {first}" if first == last else f"seasons {first} to {last}"
    if found.is_same:
        return f"{found.file}: {found.table} has these {format_count(found.rows, 'row')} already. No changes were made."
    replaced = f", in place of {found.rows_before:,}" if found.rows_before else ""
    return f"{found.file}: {format_count(found.rows, 'row')} of {seasons} to {found.table}{replaced}."


def compare_command(
    source: Annotated[str, typer.Argument(help="Whose file it is: moneypuck.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV of skaters or teams, by game or by season.")],
    playoffs: Playoffs = False,
    everything: Annotated[bool, typer.Option("--all", help="Also print the columns that agree in every row.")] = False,
    json: Json = False,
) -> None:
    """Compare a file of MoneyPuck with the lake, column by column.

    Nothing is imported. Compares the rows of the regular season, or of the playoffs, that both have. xG comes from
    another model, so it never agrees exactly: look at its correlation and total.
    """
    from nhl_lake.cli import console
    from nhl_lake.queries import compare

    require_source(source, SOURCES[:1])
    chosen, _ = load_settings()
    found = compare.compare_moneypuck(chosen.root, file, is_playoffs=playoffs)
    if json:
        write_out(console.format_json({**found._asdict(), "columns": [one._asdict() for one in found.columns]}))
        return
    show_comparison(found, everything=everything)


def show_comparison(found: "Comparison", *, everything: bool) -> None:
    """Print a comparison: a line per column, those that agree least last; without `everything`, what differs."""
    from nhl_lake.cli import console, views

    out = console.make_console()
    out.print(
        f"{found.file} and {found.ours}: {format_count(found.rows, 'row')} in both; "
        f"only in the file {found.only_theirs:,}, only in the lake {found.only_ours:,}.",
        soft_wrap=False,
    )
    shown = [one for one in found.columns if everything or one.equal_share != 1]
    lines = [
        (
            one.column,
            one.rows,
            f"{100 * one.equal_share:.1f}",
            None if one.correlation is None else f"{one.correlation:.3f}",
            None if one.total_ratio is None else f"{one.total_ratio:.3f}",
            *(
                (None, None)
                if one.largest is None
                else (f"{one.largest.ours:g}/{one.largest.theirs:g}", one.largest.key)
            ),
        )
        for one in shown
    ]
    heads = ["column", "rows", "equal %", "corr.", "ratio", "largest", "where"]
    if lines:
        out.print("")
        views.show_grid(heads, lines, right=heads[1:6], optional=["where", "rows"])
    agree = sum(one.equal_share == 1 for one in found.columns)
    rest = "" if everything or not agree else " `--all` prints them, too."
    out.print(f"\n{agree:,} of {format_count(len(found.columns), 'column')} agree in every row.{rest}")
    if lines:
        out.print(
            "ratio: our total by theirs. largest: ours/theirs in the row that differs most; `--json` names that row.",
            soft_wrap=False,
        )
    if found.not_compared:
        names = ", ".join(found.not_compared[:6]) + (" …" if len(found.not_compared) > 6 else "")
        count = format_count(len(found.not_compared), "column")
        out.print(f"Not compared, because the lake has nothing equal: {count} ({names}).", soft_wrap=False)
