"""Write the reference of the Python API as Markdown, from signatures and docstrings."""

import inspect
import re
from collections.abc import Callable, Iterator
from types import ModuleType

import nhl_lake

NOT_RUN = "<!-- not run: the lake and the frame are yours -->"


def render_python_page(note: str) -> str:
    """Return the reference of the public names of `nhl_lake` and, if Altair is installed, of `nhl_lake.plot`."""
    from nhl_lake import plot

    lines = ["# Python", "", f"This page has the public functions and classes. {note}", "", "## nhl_lake"]
    for value in list_public(nhl_lake):
        lines += ["", *(render_class(value) if inspect.isclass(value) else render_function(value))]
    lines += ["", "## nhl_lake.plot", "", *render_text(inspect.getdoc(plot) or "")]
    for value in list_public(plot):
        lines += ["", *render_function(value, "plot.")]
    return "\n".join(lines) + "\n"


def list_public(module: ModuleType) -> list[Callable[..., object]]:
    """Return what a module exports: functions first, then classes."""
    found = [getattr(module, name) for name in module.__all__]
    return sorted(found, key=lambda value: (inspect.isclass(value), value.__name__))


def render_class(value: type) -> list[str]:
    """Return the section of a class, and of its public methods."""
    lines = [f"### {value.__name__}", "", *render_text(inspect.getdoc(value) or "")]
    for name, method in vars(value).items():
        if not name.startswith("_") and inspect.isfunction(method):
            lines += ["", *render_function(method, f"{value.__name__}.", level=4)]
    return lines


def render_function(function: Callable[..., object], owner: str = "", *, level: int = 3) -> list[str]:
    """Return the section of a function: its signature, and its docstring."""
    name = f"{owner}{function.__name__}"
    signature = format_signature(function).replace("(self, ", "(").replace("(self)", "()")
    lines = [f"{'#' * level} {name}", "", "```text", f"{name}{signature}", "```"]
    return [*lines, "", *render_text(inspect.getdoc(function) or "")]


def format_signature(function: Callable[..., object]) -> str:
    """Return a signature without quotes around types, and with the names of types as users write them."""
    text = re.sub(r"(?<=: |> )'([^']*)'", r"\1", str(inspect.signature(function)))
    text = re.sub(r"\b(?:[a-z_]\w*\.)+(?=[A-Z])", "", text).replace("-> Any", "-> Chart")
    return re.sub(r"\b(LazyFrame|DataFrame)\b", r"pl.\1", text)


def render_text(text: str) -> list[str]:
    """Return a docstring as Markdown: a paragraph that is code becomes a block of code."""
    return list(separate(render_paragraph(paragraph) for paragraph in text.split("\n\n")))


def render_paragraph(paragraph: str) -> list[str]:
    """Return a paragraph; lines that are a program as a block."""
    lines = paragraph.splitlines()
    if re.match(r"(import|from|lake\.|>>>) ?\w*", lines[0]):
        imports = [line for line in lines if line.startswith(("import ", "from "))]
        return [NOT_RUN, "```python", *imports, *([""] if imports else []), *lines[len(imports) :], "```"]
    return lines


def separate(blocks: Iterator[list[str]]) -> Iterator[str]:
    """Yield the lines of blocks, with an empty line between two blocks."""
    for number, block in enumerate(blocks):
        yield from ([""] if number else [])
        yield from block
