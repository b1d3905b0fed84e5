"""The address of a static web host. Most commands read none, so this module loads no HTTP client."""

from dataclasses import dataclass
from urllib.parse import quote

WEB_SCHEMES = ("http://", "https://")
MAX_WEBSITE_FILE_BYTES = 64 * 2**20  # of a file whose size nobody knows: manifests


@dataclass(frozen=True, slots=True)
class Website:
    """A folder of a static web host: its URL, without a slash at the end."""

    url: str

    def __str__(self) -> str:
        return self.url

    def locate(self, name: str) -> str:
        """Return the URL of a file."""
        return f"{self.url}/{quote(name, safe='/=')}"


def is_web_address(text: str) -> bool:
    """Return whether a text is the address of a web host."""
    return text.lower().startswith(WEB_SCHEMES)
