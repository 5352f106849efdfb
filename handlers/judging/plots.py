"""Where the marks of a plot stand. Pure; the template draws them as SVG.

All lengths are in units of the SVG's own view box.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from handlers.judging.comparison import Compared
from handlers.judging.summary import FIGURES, SetReport

ROW = 24
LABEL = 118
SPAN = 176
VALUE = 52
HEAD = 8
AXIS = 22

CHANGE_LABEL = 250
CHANGE_SPAN = 470
CHANGE_VALUE = 150
MOST_CHANGES = 48


@dataclass(frozen=True, slots=True)
class Mark:
    """One row of a plot: a dot at ``x`` between whiskers, at height ``y``."""

    label: str
    x: float
    low: float
    high: float
    y: float
    text: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Tick:
    """A line of the grid."""

    x: float
    text: str


@dataclass(frozen=True, slots=True)
class Plot:
    """A plot: its size, its rows and its grid. ``zero`` is where a difference of 0 stands."""

    title: str
    meaning: str
    width: float
    height: float
    label: float
    marks: tuple[Mark, ...]
    ticks: tuple[Tick, ...]
    zero: float | None = None
    left_out: int = 0

    @property
    def floor(self) -> float:
        """Where the grid ends and its numbers begin."""
        return self.height - AXIS


def by_set(reports: Sequence[SetReport]) -> list[Plot]:
    """Return a plot for each figure that any set has: one row a set, from 0 to 1."""
    plots = []
    for name, about in FIGURES.items():
        having = [one for one in reports if name in one.figures]
        marks = []
        for row, report in enumerate(having):
            figure = report.figures[name]
            marks.append(
                Mark(
                    label=report.name,
                    x=LABEL + SPAN * figure.mean,
                    low=LABEL + SPAN * figure.low,
                    high=LABEL + SPAN * figure.high,
                    y=HEAD + ROW * (row + 0.5),
                    text=f"{figure.mean:.3f}",
                )
            )
        if marks:
            plots.append(
                Plot(
                    title=about.title,
                    meaning=about.meaning,
                    width=LABEL + SPAN + VALUE,
                    height=HEAD + ROW * len(marks) + AXIS,
                    label=LABEL,
                    marks=tuple(marks),
                    ticks=tuple(Tick(LABEL + SPAN * at, f"{at:g}") for at in (0, 0.5, 1)),
                )
            )
    return plots


def by_change(figures: Sequence[Compared]) -> Plot | None:
    """Return one row for each figure that changed, the surest first; None when none did."""
    moved = [one for one in figures if one.difference.mean != 0.0]
    if not moved:
        return None
    moved.sort(key=lambda one: (one.p, -abs(one.difference.mean)))
    shown = moved[:MOST_CHANGES]
    ends = [abs(end) for one in shown for end in (one.difference.low, one.difference.high)]
    reach = _round_up(max(*ends, 1e-6))

    def at(value: float) -> float:
        return CHANGE_LABEL + CHANGE_SPAN * (value / reach + 1) / 2

    marks = [
        Mark(
            label=f"{one.set}: {FIGURES[one.figure].title}",
            x=at(one.difference.mean),
            low=at(one.difference.low),
            high=at(one.difference.high),
            y=HEAD + ROW * (row + 0.5),
            text=f"{one.difference.mean:+.3f}{' lost' if one.loss else ' gained' * one.real}",
            kind="loss" if one.loss else "gain" if one.real else "",
        )
        for row, one in enumerate(shown)
    ]
    return Plot(
        title="Change of each figure",
        meaning="after minus before, over the same questions, with its 95 % interval",
        width=CHANGE_LABEL + CHANGE_SPAN + CHANGE_VALUE,
        height=HEAD + ROW * len(marks) + AXIS,
        label=CHANGE_LABEL,
        marks=tuple(marks),
        ticks=tuple(
            Tick(at(share * reach), f"{share * reach:+.2g}" if share else "0")
            for share in (-1, -0.5, 0, 0.5, 1)
        ),
        zero=at(0.0),
        left_out=len(moved) - len(shown),
    )


def _round_up(value: float) -> float:
    """Return the next of 1, 2 and 5 times a power of ten."""
    power = 10.0**-6
    while True:
        for times in (1, 2, 5):
            if value <= times * power * (1 + 1e-9):
                return times * power
        power *= 10
