"""Prints measured figures as a table for people and as JSON for programs."""

import json
import os
from collections.abc import Mapping
from pathlib import Path


def machine() -> dict[str, float | int | None]:
    """Return how many processors there are and how busy they have been in the last minute."""
    return {"cpus": os.cpu_count(), "load": round(os.getloadavg()[0], 2)}


def peak_memory_mb(process: int | str = "self") -> int:
    """Return the most memory that a process has held, in MB, without its children.

    Not ru_maxrss: that counts the parent too, which a process was for a moment after the fork.
    """
    status = Path(f"/proc/{process}/status").read_text("ascii")
    peak = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return round(int(peak.split()[1]) * 1024 / 1e6)


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
