"""Draw which tables join on which key, as SVG."""

from nhl_lake import catalog
from nhl_lake.schema.table import Table

HUBS = {  # the table that has one row for each value of a key, and the color of its lines
    "season": ("silver.seasons", "#6b7280"),
    "game_id": ("silver.games", "#1d4ed8"),
    "player_id": ("silver.players", "#b45309"),
    "team_id": ("silver.teams", "#047857"),
}
JOINED = (
    "silver.plays", "silver.shifts", "silver.on_ice", "gold.shots", "gold.skater_game", "gold.goalie_game",
    "gold.team_game", "gold.skater_season", "gold.goalie_season", "gold.team_season",
)  # fmt: skip
WIDTH, ROW, BOX = 760, 54, 42  # pixels: of the picture, from row to row, the height of a box
LEFT, LEFT_WIDTH, RIGHT = 10, 190, 380
STYLE = "text{font:14px system-ui,sans-serif;fill:#111827}.key{font-size:12px;fill:#4b5563}"


def render_diagram() -> str:
    """Return the picture: on the left the tables of seasons, games, players and teams, on the right what joins them."""
    tables = [catalog.find_table(name) for name in JOINED]
    height = ROW * len(tables) + 16
    step = height / len(HUBS)
    hubs = {key: 8 + step * number + step / 2 - BOX / 2 for number, key in enumerate(HUBS)}
    parts = [draw_lines(table, 12 + ROW * number, hubs) for number, table in enumerate(tables)]
    parts += [draw_box(LEFT, y, LEFT_WIDTH, HUBS[key][0], key, HUBS[key][1]) for key, y in hubs.items()]
    parts += [
        draw_box(RIGHT, 12 + ROW * number, WIDTH - RIGHT - 10, table.name, ", ".join(table.key), "#111827")
        for number, table in enumerate(tables)
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">'
        f"<title>Tables and the keys that join them</title><style>{STYLE}</style>"
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>' + "".join(parts) + "</svg>\n"
    )


def draw_box(x: float, y: float, width: float, name: str, key: str, color: str) -> str:
    """Return a box with the name of a table and its key."""
    return (
        f'<rect x="{x}" y="{y:g}" width="{width}" height="{BOX}" rx="4" fill="#f9fafb" stroke="{color}"/>'
        f'<text x="{x + 10}" y="{y + 17:g}" font-weight="600">{name}</text>'
        f'<text x="{x + 10}" y="{y + 34:g}" class="key">{key}</text>'
    )


def draw_lines(table: Table, y: float, hubs: dict[str, float]) -> str:
    """Return a line from a table to each table that it joins."""
    keys = [key for key in hubs if any(name == key or name.endswith(f"_{key}") for name in table.schema)]
    keys = keys[1:] if "game_id" in keys else keys  # the game has the season
    parts = []
    for number, key in enumerate(keys, 1):
        start, end, middle = y + BOX * number / (len(keys) + 1), hubs[key] + BOX / 2, (RIGHT + LEFT + LEFT_WIDTH) / 2
        path = f"M{RIGHT} {start:g}C{middle:g} {start:g} {middle:g} {end:g} {LEFT + LEFT_WIDTH} {end:g}"
        parts.append(f'<path d="{path}" fill="none" stroke="{HUBS[key][1]}" stroke-opacity=".6" stroke-width="1.5"/>')
    return "".join(parts)
