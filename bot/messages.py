"""Every sentence that the bot itself says, in English; wording.py has some in other languages."""

from collections.abc import Sequence

NAME = "Footnote"

# What happens while somebody waits
SEARCHING = "Searching the documents…"

# Instead of an answer
NOT_FOUND = "I could not find this in the documents."
GREETING = (
    "Ask me something that your documents should know. "
    "I answer from them, with footnotes that you can check."
)
MEMBERS_ONLY = (
    "I answer full members of this workspace only, because I cannot tell which documents a guest "
    "may read. Please ask a colleague who is a member."
)
ONLY_ALONE = (
    "Some pages that you may read were left out here, because not everybody in this channel may "
    "read them. Ask me in a direct message, or with `/ask`, and I look there as well."
)
NOTHING_READ = (
    "I have not read any documents yet. Whoever runs me can start a sync; then please ask again."
)
USAGE = "Write your question behind the command, for example: `/ask How do I claim expenses?`"
STOPPED = "Stopped at your request."
COULD_NOT_TAKE = (
    "I could not take your question just now. Nothing was lost but the moment: please ask again."
)
APOLOGY = "Something went wrong on my side and I have no answer for you. Please ask again later."

# Around an answer
QUOTES_ONLY = "These are quotes from the documents, chosen without a language model."
BROKE_OFF = "The language model broke off; what is shown was checked."
FALLBACK = (
    "The language model gave no answer that could be shown, so these are quotes from the documents."
)
FALLBACK_EMPTY = (
    "The language model gave no answer that could be shown, so the documents were searched "
    "without it."
)
PARTLY = "The documents answer only a part of the question."
CUT_SHORT = "The language model was cut short, so something may be missing here."
NEAREST = "The nearest pages"
MORE_FOOTNOTES = "Not every footnote fits here."

# Below an answer; a label is read aloud instead of the text
HELPFUL = "Helpful"
HELPFUL_LABEL = "This answer helped me"
NOT_HELPFUL = "Not helpful"
NOT_HELPFUL_LABEL = "This answer did not help me"

# Footnotes
OPEN_QUOTE = "Open quote"
OPEN_DOCUMENT = "Open document"
CLOSE = "Close"
FOOTNOTE_GONE = "This footnote is no longer kept. Ask again to get a fresh one."
FOOTNOTE_WITHHELD = "You may not read the document that this footnote quotes."
FOOTNOTE_ELSEWHERE = "This footnote belongs to another conversation."
FOOTNOTE_FAILED = "I could not open this footnote just now. Please press the button again."
UNTITLED = "Untitled document"

# Home
HOME_TITLE = "Answers with footnotes"
HOME_WHAT = (
    "I answer questions from your company's own documents. Every sentence carries a footnote, and "
    "every footnote opens the exact quote."
)
HOME_HOW_TITLE = "How to ask"
HOME_HOW = (
    "*In a channel:* invite me and mention me with your question; I answer in the thread.\n"
    "*In a direct message:* just write; no mention is needed.\n"
    "*In private, anywhere:* `/ask` and your question; only you see the answer."
)
HOME_HOW_AGENT = (
    "*To have something done:* begin with `agent:` and say what. I ask before I change anything."
)
HOME_HONEST = (
    "If the documents do not answer your question, I say so and name the nearest pages. "
    "I never show a sentence that no quote supports."
)


def unclear(question_back: str) -> str:
    """Ask for a clearer question; ``question_back`` is what it leaves open, or ""."""
    if question_back:
        return f"I am not sure what to look for: “{question_back}”"
    return "I am not sure what to look for. Which topic, document or product is it about?"


def missing(part: str) -> str:
    """Say which ``part`` of a question the documents do not answer."""
    return f"The documents do not answer this part of the question: “{part}”."


def disagree(sources: Sequence[tuple[int, str]], newest: int) -> str:
    """Say that footnotes, each with an ISO date or "", disagree; ``newest`` is one of them or 0."""
    shown = [f"[{number}] ({f'updated {day}' if day else 'undated'})" for number, day in sources]
    said = f"The documents disagree: compare {' with '.join(shown)}."
    return f"{said} [{newest}] is the newest." if newest else said


def filters(shown: Sequence[str]) -> str:
    """Say what the search was narrowed to."""
    return f"The search was limited: {', '.join(shown)}."


def cut(count: int) -> str:
    """Say how many sentences were left out because no quote supports them."""
    if count == 1:
        return "One sentence was left out, because no quote supports it."
    return f"{count} sentences were left out, because no quote supports them."


def footnote_title(number: int) -> str:
    """Name a footnote."""
    return f"Footnote {number}"


def page(number: int) -> str:
    """Name a page of a document."""
    return f"page {number}"


def updated(days: float) -> str:
    """Say how many ``days`` ago a document changed; negative by clock skew counts as today."""
    if days < 1:
        return "updated today"
    for unit, length in (("year", 365.0), ("month", 30.5), ("week", 7.0), ("day", 1.0)):
        count = int(days // length)
        if count >= 1:
            return f"updated {count} {unit}{'' if count == 1 else 's'} ago"
    return "updated today"
