"""What can go wrong with judging.

JudgingError
├── CaseRefused         a judged case that says too little, too much or nothing
└── ReportUnreadable    what `--against` names is no report of `footnote eval --json`

``str(error)`` is a sentence for the person who can act on it.
"""


class JudgingError(Exception):
    """Root of the tree."""


class CaseRefused(JudgingError):
    """A judged case cannot be written or read as it is."""


class ReportUnreadable(JudgingError):
    """An earlier report is missing, broken, or of something else."""
