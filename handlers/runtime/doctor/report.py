"""Findings as a table for people, or as one object for programs."""

import sys
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from handlers.runtime.doctor.findings import Finding, Verdict, worst
from handlers.runtime.logs import redacted
from handlers.runtime.terminal import print_json

EXIT_OK, EXIT_FAILED = 0, 1

_STYLES = {
    Verdict.OK: "green",
    Verdict.SKIPPED: "dim",
    Verdict.WARNING: "yellow",
    Verdict.FAILED: "bold red",
}


def exit_code(findings: Sequence[Finding]) -> int:
    """Return 1 if a check failed, else 0: a warning is for people."""
    return EXIT_FAILED if worst(findings) is Verdict.FAILED else EXIT_OK


def show(findings: Sequence[Finding], *, as_json: bool, more: Mapping[str, object]) -> None:
    """Print the findings; ``more`` are further fields of the object for programs."""
    if as_json:
        print_json({**more, "verdict": str(worst(findings)), "checks": [*map(_plain, findings)]})
        return
    table = Table(show_header=False, show_edge=False, box=None, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for finding in findings:
        said = Text(redacted(finding.found))
        if finding.todo:
            said.append(f"\n→ {redacted(finding.todo)}", style="bold")
        verdict = Text(str(finding.verdict), style=_STYLES[finding.verdict])
        table.add_row(verdict, finding.check, said)
    Console(highlight=False, width=None if sys.stdout.isatty() else 160).print(table)


def _plain(finding: Finding) -> dict[str, str]:
    return {
        "check": finding.check,
        "verdict": str(finding.verdict),
        "found": redacted(finding.found),
        "todo": redacted(finding.todo),
    }
