"""Two pages that contradict each other are noticed; a rule and its exception are none such."""

import pytest

from handlers.answering.disagreement import Statement, disagree

Pair = tuple[str, str, str, str]

CONTRADICTIONS: list[Pair] = [
    (
        "Every full-time employee receives 25 days of paid vacation per calendar year.",
        "Every full-time employee receives 28 days of paid vacation per calendar year.",
        "Vacation",
        "Benefits",
    ),
    (
        "You have 27 days of paid holiday a year.",
        "Employees have 25 days of paid holiday a year.",
        "Holidays",
        "Employees at Northwind",
    ),
    (
        "Meals on business trips are reimbursed up to 50 euros per day.",
        "Meals on business trips are reimbursed up to 60 euros a day.",
        "Travel",
        "Expenses",
    ),
    (
        "Receipts must be submitted within 30 days.",
        "Receipts must be submitted within 14 days.",
        "Travel",
        "Expenses",
    ),
    (
        "Passwords must have at least 14 characters.",
        "Passwords must have at least 12 characters.",
        "Security",
        "IT support",
    ),
    (
        "The VPN is required for the wiki.",
        "The VPN is not required for the wiki.",
        "Security",
        "Wiki",
    ),
    (
        "The VPN is no longer required for the wiki.",
        "The VPN is required for the wiki.",
        "Security",
        "Wiki",
    ),
    (
        "Expense reports are due on Friday at noon.",
        "Expense reports are due on Monday at noon.",
        "Expenses",
        "Finance calendar",
    ),
    (
        "Unused days may be carried over until 31 March.",
        "Unused days may be carried over until 30 June.",
        "Vacation 2024",
        "Vacation 2026",
    ),
    (
        "Laptops are replaced after four years.",
        "Laptops are replaced after three years.",
        "Laptops",
        "IT support",
    ),
    (
        "Backups are kept for 35 days.",
        "Backups are kept for 90 days.",
        "Backups",
        "Customer data",
    ),
    (
        "The notice period is two weeks.",
        "The notice period is four weeks.",
        "Leaving",
        "Contracts",
    ),
    (
        "Contractors are entitled to paid vacation.",
        "Contractors are not entitled to paid vacation.",
        "Vacation",
        "Contractors",
    ),
    (
        "Employees may work from another country for at most 30 days per year.",
        "Employees may work from another country for at most 20 days per year.",
        "Remote work",
        "Travel",
    ),
    (
        "The room on the third floor seats 12 people.",
        "The room on the third floor seats 10 people.",
        "Rooms",
        "Visitors",
    ),
    (
        "Der Urlaub beträgt 30 Tage im Jahr für alle Angestellten.",
        "Der Urlaub beträgt 28 Tage im Jahr für alle Angestellten.",
        "Urlaub",
        "Leistungen",
    ),
]
NO_CONTRADICTIONS: list[Pair] = [
    (
        "Quarterly reports of a team have up to 20 pages.",
        "Quarterly reports of a team have at least 5 pages.",
        "Reports",
        "Writing",
    ),
    (
        "Employees receive 25 days of paid vacation per year.",
        "Employees in Lisbon receive 22 days of paid vacation per year.",
        "Vacation",
        "Lisbon",
    ),
    (
        "Employees receive 25 days of paid vacation per year.",
        "Part-time employees receive 15 days of paid vacation per year.",
        "Vacation",
        "Contracts",
    ),
    (
        "During probation the notice period is two weeks on both sides.",
        "After probation the notice period is four weeks.",
        "Leaving",
        "Contracts",
    ),
    (
        "Meals are reimbursed up to 50 euros per day.",
        "Hotels are reimbursed up to 150 euros per night.",
        "Expenses",
        "Travel",
    ),
    (
        "Lunch is served in the canteen at 12:30 every day.",
        "Lunch is served in the canteen at 13:00 every day.",
        "Berlin office",
        "Lisbon office",
    ),
    (
        "Passwords must have at least 14 characters.",
        "Passwords must have at most 64 characters.",
        "Security",
        "IT",
    ),
    (
        "In the first year you have 25 days of leave.",
        "In the second year you have 26 days of leave.",
        "Leave",
        "Benefits",
    ),
    (
        "The team lead approves trips up to 500 euros.",
        "The director approves trips up to 5000 euros.",
        "Travel",
        "Approvals",
    ),
    (
        "Revenue of the company was 5 million euros in 2023.",
        "Revenue of the company was 7 million euros in 2024.",
        "Report 2023",
        "Report 2024",
    ),
    (
        "It takes 30 days to process the request.",
        "It takes 10 days to process the request.",
        "Visas",
        "Invoices",
    ),
    (
        "Contractors are not entitled to paid vacation.",
        "Employees are entitled to paid vacation.",
        "Contractors",
        "Vacation",
    ),
    (
        "Alcohol is not reimbursed.",
        "Meals are reimbursed.",
        "Expenses",
        "Travel",
    ),
    (
        "Receipts must be submitted within 30 days.",
        "Receipts must be submitted within 30 days in Ledgerly.",
        "Expenses",
        "Travel",
    ),
    (
        "Unless your manager agrees, trips end within 14 days.",
        "Trips end within 30 days.",
        "Travel",
        "Abroad",
    ),
    (
        "The trial lasts 14 days and costs 0 euros.",
        "The trial lasts 30 days and costs 10 euros.",
        "Pricing",
        "Old pricing",
    ),
    (
        "You can book rooms 30 days in advance.",
        "You can book desks 14 days in advance.",
        "Rooms",
        "Desks",
    ),
    (
        "Interns receive 800 euros a month.",
        "Working students receive 15 euros an hour.",
        "Interns",
        "Students",
    ),
    (
        "Backups are kept for 35 days.",
        "Logs are kept for 90 days.",
        "Backups",
        "Logs",
    ),
]


def found(pair: Pair, *, documents: tuple[str, str] = ("a", "b")) -> str:
    one, other = (
        Statement(document, text, title)
        for document, text, title in zip(documents, pair[:2], pair[2:], strict=True)
    )
    return disagree(one, other) if one.judgeable and other.judgeable else ""


@pytest.mark.parametrize("pair", CONTRADICTIONS, ids=lambda pair: pair[0])
def test_the_same_statement_with_another_figure_is_a_contradiction(pair: Pair) -> None:
    assert found(pair)
    assert found((pair[1], pair[0], pair[3], pair[2])) == found(pair)


@pytest.mark.parametrize("pair", NO_CONTRADICTIONS, ids=lambda pair: pair[1])
def test_another_case_is_no_contradiction(pair: Pair) -> None:
    assert found(pair) == ""
    assert found((pair[1], pair[0], pair[3], pair[2])) == ""


@pytest.mark.parametrize("pair", CONTRADICTIONS, ids=lambda pair: pair[0])
def test_no_document_contradicts_itself_and_no_sentence_itself(pair: Pair) -> None:
    assert found(pair, documents=("a", "a")) == ""
    assert found((pair[0], pair[0], pair[2], pair[3])) == ""


@pytest.mark.parametrize(
    "text",
    [
        "How many days of paid vacation are there?",
        "They receive 25 days of paid vacation per year.",
        "The team had 25 days of paid vacation in 2019.",
        "const days = 25; // paid vacation of employees",
        "Opens at 9.",
    ],
)
def test_what_does_not_state_something_by_itself_and_for_now_is_not_judged(text: str) -> None:
    assert not Statement("a", text).judgeable
