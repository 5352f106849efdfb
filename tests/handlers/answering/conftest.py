"""A small handbook as passages, as retrieval would offer them."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from index.documents import Chunk, Passage, stable_id

VACATION = (
    "Every full-time employee receives 25 days of paid vacation per calendar year. Up to 5 unused"
    " days may be carried over until 31 March. Carried-over days that are not taken by then expire."
    " Contractors are not entitled to paid vacation."
)
EXPENSES = (
    "Meals on business trips are reimbursed up to 50 euros per day. Receipts must be submitted in"
    " Ledgerly within 30 days. Alcohol is not reimbursed. Everyone except interns may book trains"
    " in first class."
)
REMOTE = (
    "Employees may work from another country for at most 30 days per year. The team lead approves"
    " each stay in advance. Questions go to people@northwind.example or to #people-ops."
)
LAPTOPS = (
    "New colleagues receive a laptop on their first day. Laptops are replaced after four years."
    " Run the following to enrol a laptop:\n\n    fleetctl enroll --team berlin\n\n"
    "Lost laptops are reported to security within 24 hours."
)
SECURITY = (
    "Passwords must have at least 14 characters. The VPN is no longer required for the wiki."
    " Report a phishing mail with the button in the mail client."
)


def make_passage(
    title: str,
    text: str,
    *,
    heading: tuple[str, ...] = (),
    url: str = "",
    anchor: str = "",
    similarity: float = 0.5,
    ordinal: int = 0,
) -> Passage:
    document = stable_id("handbook", title)
    return Passage(
        chunk=Chunk(
            id=stable_id(document, str(ordinal)),
            document_id=document,
            ordinal=ordinal,
            heading_path=heading,
            text=text,
            start=0,
            end=len(text),
            anchor=anchor,
        ),
        source="handbook",
        title=title,
        url=url or f"https://handbook.example/{title.lower().replace(' ', '-')}",
        score=similarity,
        similarity=similarity,
        readers=frozenset(),
        updated_at=datetime(2026, 3, 1, tzinfo=UTC),
    )


@pytest.fixture
def passage() -> Callable[..., Passage]:
    return make_passage


@pytest.fixture
def passages() -> tuple[Passage, ...]:
    return (
        make_passage("Vacation", VACATION, heading=("Time off", "Vacation"), anchor="vacation"),
        make_passage("Expenses", EXPENSES, heading=("Travel expenses",)),
        make_passage("Remote work", REMOTE),
        make_passage("Laptops", LAPTOPS),
        make_passage("Security", SECURITY),
    )
