"""Prints measured figures as a table for people and as JSON for programs."""

import json
import os
from collections.abc import Mapping


def machine() -> dict[str, float | int | None]:
    """Return how many processors there are and how busy they have been in the last minute."""
    return {"cpus": os.cpu_count(), "load": round(os.getloadavg()[0], 2)}


def show(
    title: str,
    rows: Mapping[str, Mapping[str, float]],
    about: Mapping[str, float | int | str | None],
) -> None:
    """Print one table; every row names its figures, and a figure that is not there stays empty."""
    columns = list(dict.fromkeys(name for row in rows.values() for name in row))
    widest = max(map(len, [*rows, title]))
    print(f"\n{title:<{widest}}" + "".join(f"{name:>15}" for name in columns))
    for name, row in rows.items():
        cells = (f"{row[column]:>15.3f}" if column in row else " " * 15 for column in columns)
        print(f"{name:<{widest}}" + "".join(cells))
    rounded = {
        name: {column: round(value, 4) for column, value in row.items()}
        for name, row in rows.items()
    }
    print(json.dumps({"title": title, **about, "rows": rounded}))
