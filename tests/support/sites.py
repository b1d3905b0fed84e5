"""Built sites: what is in their folders, and which of their links lead nowhere."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from selectolax.lexbor import LexborHTMLParser

ADDRESSES = {"a": "href", "link": "href", "script": "src", "img": "src", "use": "href"}


def read_site(folder: Path) -> dict[str, bytes]:
    """Return the files of a folder by relative path."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def stat_site(folder: Path) -> dict[str, tuple[int, ...]]:
    """Return what a write would change of each file and folder: inode, size, times of change."""
    found = {}
    for file in [folder, *folder.rglob("*")]:
        about = file.stat()
        found[str(file.relative_to(folder))] = (about.st_ino, about.st_size, about.st_mtime_ns, about.st_ctime_ns)
    return found


def list_links(page: Path) -> Iterator[str]:
    """Yield the addresses in a page, without data that is in the page itself."""
    tree = LexborHTMLParser(page.read_text())
    for tag, attribute in ADDRESSES.items():
        for node in tree.css(tag):
            address = node.attributes.get(attribute)
            if address and not address.startswith("data:"):
                yield address


def find_broken_links(folder: Path) -> list[str]:
    """Return the links that are not relative, leave the folder, or lead to no file or no part of a page."""
    broken, ids = [], {}
    for page in sorted(folder.rglob("*.html")):
        for address in set(list_links(page)):
            parts = urlsplit(address)
            target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            is_fine = not parts.scheme and not parts.netloc and not parts.path.startswith("/")
            is_fine = is_fine and target.is_relative_to(folder.resolve()) and target.is_file()
            if is_fine and parts.fragment:
                if target not in ids:
                    ids[target] = {node.attributes["id"] for node in LexborHTMLParser(target.read_text()).css("[id]")}
                is_fine = parts.fragment in ids[target]
            if not is_fine:
                broken.append(f"{page.relative_to(folder)}: {address}")
    return broken
