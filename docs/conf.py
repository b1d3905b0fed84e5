"""The site of the documents: `make site`. The pages are plain Markdown; what ties them together is here.

Nothing is fetched, neither when the site is built nor when a page is read.
"""

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

HERE = Path(__file__).parent
# Pages in the order in which they are shown. A page that is not here follows the others of its folder; a page that lies
# directly in docs/ follows the how-to guides.
ORDER = {
    "tutorials": ["first-lake", "every-morning", "notebook", "shot-model"],
    "how-to": [
        "questions", "reports", "excel", "bi-tools", "other-programs", "dbt-dagster", "moneypuck", "import", "site",
        "sharing", "schedule", "monitor", "optional-pages", "backups", "restore", "s3",
        "two-machines", "cluster", "maintain", "databricks",
    ],
    "reference": [
        "commands", "tables", "tables-bronze", "tables-silver", "tables-gold", "tables-lake",
        "tables-external", "settings", "exit-codes",
        "json", "python", "reports", "moneypuck-columns",
    ],
    "explanation": [
        "bronze", "counting", "agreement", "models", "predictions", "second-looks", "faults", "performance",
    ],
}  # fmt: skip
CAPTIONS = {"tutorials": "Tutorials", "how-to": "How-to", "reference": "Reference", "explanation": "Explanation"}

project = "nhl-lake"
copyright = "the authors of nhl-lake; data of the NHL belong to the NHL"
extensions = ["myst_parser"]
exclude_patterns = ["notebooks"]
myst_heading_anchors = 4
highlight_language = "none"
html_theme = "furo"
html_title = "nhl-lake"
html_copy_source = True
html_sourcelink_suffix = ""
html_static_path = ["static"]
html_css_files = ["site.css"]


def list_pages() -> dict[str, list[str]]:
    """Return the names of the pages of each section, in order, without endings."""
    found = {folder: [f"{folder}/{path.stem}" for path in sorted((HERE / folder).glob("*.md"))] for folder in ORDER}
    found["how-to"] += [path.stem for path in sorted(HERE.glob("*.md")) if path.stem != "index"]
    for folder, names in ORDER.items():
        ranks = {f"{folder}/{name}": rank for rank, name in enumerate(names)}
        found[folder].sort(key=lambda name, ranks=ranks: ranks.get(name, len(ranks)))
    return found


def add_navigation(_: "Sphinx", name: str, source: list[str]) -> None:
    """Add the navigation to the home page, so that no page has to hold any."""
    if name == "index":
        for folder, pages in list_pages().items():
            source[0] += "\n".join(
                ["", "```{toctree}", ":hidden:", f":caption: {CAPTIONS[folder]}", "", *pages, "```", ""]
            )


def read_summary(page: str) -> tuple[str, str]:
    """Return the title of a page, and its first paragraph."""
    title, _, rest = (HERE / f"{page}.md").read_text().removeprefix("# ").partition("\n")
    return title, " ".join(rest.strip().partition("\n\n")[0].split())


def write_llms(app: "Sphinx", error: Exception | None) -> None:
    """Write llms.txt, the list of all pages for programs that read, and llms-full.txt, the pages themselves."""
    if error or app.builder.name != "html":
        return
    home = (HERE / "index.md").read_text()
    lines, full = [f"# nhl-lake\n\n> {read_summary('index')[1]}"], [home]
    for folder, pages in list_pages().items():
        lines.append(f"\n## {CAPTIONS[folder]}\n")
        for page in pages:
            title, about = read_summary(page)
            plain = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", about)
            lines.append(f"- [{title}](_sources/{page}.md): {plain}")
            full.append((HERE / f"{page}.md").read_text())
    (Path(app.outdir) / "llms.txt").write_text("\n".join(lines) + "\n")
    (Path(app.outdir) / "llms-full.txt").write_text("\n".join(full))


def setup(app: "Sphinx") -> None:
    """Let Sphinx call the functions above."""
    app.connect("source-read", add_navigation)
    app.connect("build-finished", write_llms)
