"""The figures as Markdown tables, which people read as they are. Pure."""

from collections.abc import Mapping
from typing import Any


def attacks_table(report: Mapping[str, Any]) -> list[str]:
    """Return what each way to guard the tools let through, by suite."""
    names = ["attacks that succeeded", *report["suites"], "attack tasks that ever did"]
    head = [*names, "user tasks done all the same"]
    lines = [_line(head), _line(["---"] * len(head))]
    for guard, arrangements in report["attacked"].items():
        for arrangement, rows in arrangements.items():
            suites = [_share(rows[suite]) for suite in report["suites"]]
            whole = rows["all"]
            ever = f"{whole['ever succeeded']} of {whole['attacks']}"
            done = f"{100 * whole['tasks done']:.0f} %"
            lines.append(_line([f"{guard}, {arrangement}", *suites, ever, done]))
    return lines


def tasks_table(report: Mapping[str, Any]) -> list[str]:
    """Return how many user tasks were done, with how many approvals, on how many cards."""
    one, together = report["alone"].values()
    names = ["suite", "tasks", "done", "approvals a task", "cards a task", "cards, if calls share"]
    head = [*names, "tasks by approvals"]
    lines = [_line(head), _line(["---"] * len(head))]
    for suite, row in one.items():
        spread = ", ".join(f"{many}: {tasks}" for many, tasks in report["approvals"][suite].items())
        figures = [row["approvals a task"], row["cards a task"], together[suite]["cards a task"]]
        counts = [str(row["tasks"]), str(row["done"])]
        lines.append(_line([suite, *counts, *(f"{one:.2f}" for one in figures), spread]))
    return lines


def warnings_table(report: Mapping[str, Any]) -> list[str]:
    """Return how many of the attackers' calls were marked on their cards, and of the user's own."""
    head = ["suite", "attackers' calls", "warned of", "quoted", "the user's own", "warned of"]
    lines = [_line(head), _line(["---"] * len(head))]
    for suite, row in report["warned"].items():
        lines.append(_line([suite, *(str(row[name]) for name in row)]))
    return lines


def _share(row: Mapping[str, float]) -> str:
    return f"{row['succeeded']} of {row['cases']}"


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"
