"""Every sentence around what the agent proposes, in English."""

from bot.proposals import Ruling

NEEDED = "Approval needed"
SEVERAL = "Nothing runs until somebody decides about it."
ONE_NOTIFIED = "I need an approval to go on: {title}."
MANY_NOTIFIED = "I need {count} approvals to go on."
SETTLED = "Decided"
ANYBODY = "any full member who is in this conversation"
CHANGES = "changes something"
LEAVES = "sends something out of the house"
READS = "reads only"

APPROVE = "Approve"
REJECT = "Reject"
EDIT = "Edit"
SHOW_ALL = "Show all"
APPROVE_ALL = "Approve all"
REJECT_ALL = "Reject all"
UNDO = "Undo"
NEXT = "Next"
PREVIOUS = "Previous"
CLOSE = "Close"

ORIGINS = "What led to this. It is text from outside that nobody has checked:"
MORE_ORIGINS = "There is more that led to this."
NO_ARGUMENTS = "It runs without arguments."
APPROVE_THERE = "Press “Show all” to read the rest; it can be approved there, on the last page."
TOO_MANY = (
    "This is too much for one message. Press “Show all” to read everything; it can be approved "
    "there, on the last page."
)
TOO_MANY_TO_DECIDE = "This is too much to be decided here, so it will not run. Ask for less."
HIDDEN = (
    "Some characters cannot be seen or look like others. They are shown by their numbers, "
    "as in ‹U+202E›."
)
FROM_THE_RIGHT = "Text that is written from right to left stands between ‹RTL› and ‹LTR›."

EVERYTHING = "Everything"
EDIT_TITLE = "Edit, then approve"
EDIT_LABEL = "Arguments, as JSON"
EDIT_HINT = (
    "Line breaks inside quotes stay line breaks. What you submit here runs exactly as it stands."
)
SUBMIT_EDIT = "Approve this"
CANCEL = "Cancel"
CHANGED_MEANWHILE = "This was changed while you were reading. Here is how it stands now."

COULD_NOT_DECIDE = "I could not take your decision just now. Please press the button again."
COULD_NOT_SHOW = "I could not show this just now. Please press the button again."
COULD_NOT_UNDO = "I could not take this back just now. Please press the button again."
ODD = "This button is too old, or not one of mine."

REFUSED = {
    Ruling.PENDING: "This still waits for a decision.",
    Ruling.APPROVED: "This is approved.",
    Ruling.REJECTED: "This is rejected.",
    Ruling.DECIDED_BEFORE: "Somebody decided about this before you did.",
    Ruling.EXPIRED: "The time to decide about this is over; it will not run.",
    Ruling.NOT_AN_APPROVER: "You may not decide about this.",
    Ruling.ELSEWHERE: "This belongs to another conversation.",
    Ruling.SHOWN_OTHERWISE: (
        "This was changed after your card was drawn. Read it again before you decide."
    ),
    Ruling.BAD_ARGUMENTS: "These arguments do not fit.",
    Ruling.TOOL_CHANGED: "The tool changed after this was proposed, so it will not run.",
    Ruling.GONE: "This is no longer kept, so nobody can decide about it.",
}
"""What whoever clicked hears, unless the answer to the decision says it better."""

_STANDS = {
    Ruling.APPROVED: "✅ Approved",
    Ruling.REJECTED: "🚫 Rejected",
    Ruling.DECIDED_BEFORE: "Decided before",
    Ruling.EXPIRED: "⌛ Expired; it did not run",
    Ruling.TOOL_CHANGED: "The tool changed; it did not run",
    Ruling.BAD_ARGUMENTS: "The arguments do not fit; it did not run",
    Ruling.GONE: "No longer kept; it did not run",
}


def stands(ruling: Ruling) -> str:
    """Say how a call stands that is not pending any more."""
    return _STANDS.get(ruling, "It did not run")


def by_whom(names: str) -> str:
    """Name who decided."""
    return f"Decided by {names}"


def shown_part(shown: int, whole: int) -> str:
    """Say how much of the arguments is shown, in lines."""
    return f"Only {shown} of {whole} lines are shown here."


def page_title(page: int, pages: int) -> str:
    """Name a page of a dialog; at most 24 characters up to page 9,999."""
    return f"Page {page} of {pages}" if pages > 1 else EVERYTHING


def more_approvers(count: int) -> str:
    """Say how many people are not named."""
    return f"and {count} more"
