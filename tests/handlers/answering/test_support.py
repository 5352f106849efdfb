"""What counts as support, case by case: (claim, quote, supported)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.answering.support import Reading, check
from handlers.answering.words import stem

CASES = [
    ("Full-time staff receive 25 vacation days a year.",
     "Full-time employees are entitled to 25 vacation days per year.", True),
    ("Contractors aren't eligible for the bonus.",
     "Contractors are not eligible for the bonus.", True),
    ("Contractors are eligible for the bonus.",
     "Contractors are not eligible for the bonus.", False),
    ("You can carry over 5 days.", "You can carry over 5 days but not 10.", True),
    ("You can carry over 10 days.", "You can carry over 5 days but not 10 days.", False),
    ("You can carry over 5 days.", "You may carry over up to 5 days.", False),
    ("Bob approves hardware.", "Alice approves hardware.", False),
    ("Smith reports to Jones.", "Jones reports to Smith.", False),
    ("Requests are approved by your team lead.", "Your team lead approves requests.", True),
    ("The Bonn office is open.", "The Bonn office is no longer open.", False),
    ("Smoking in the courtyard is allowed after 6 pm.",
     "Smoking in the courtyard is prohibited after 6 pm.", False),
    ("Employees must wear a badge in the lab.", "Employees may wear a badge in the lab.", False),
    ("A badge is required in the lab.", "A badge is recommended in the lab.", False),
    ("You need a badge in the lab.", "A badge is required in the lab.", True),
    ("Remote work is allowed.", "Remote work is risky.", False),
    ("Only managers may approve travel.", "Managers may approve travel.", False),
    ("All requests need approval.", "Some requests need approval.", False),
    ("Invoices are paid before the 15th.", "Invoices are paid after the 15th.", False),
    ("The endpoint is insecure.", "The endpoint is secure.", False),
    ("Managers approve requests under 500 euros.",
     "Requests over 500 euros are approved by managers.", False),
    ("Managers approve requests over 500 euros.",
     "Requests over 500 euros are approved by managers.", True),
    ("Up to 1,000 users may connect.", "Up to 1000 users may connect.", True),
    ("The probation period lasts six months.", "The probation period is 6 months.", True),
    ("Refunds take 5 to 10 business days.", "Refunds take 5-10 business days.", True),
    ("Meals are reimbursed up to 50 dollars per day.",
     "Meals are reimbursed up to $50 per day.", True),
    ("IT approves software.", "It approves software.", False),
    ("The deadline is 31 May.", "The deadline is 31 March and it may move.", False),
    ("Der Urlaub ist nicht übertragbar.", "Der Urlaub ist übertragbar.", False),
    ("Der Urlaub beträgt 30 Tage im Jahr.", "Der Urlaub beträgt 30 Tage pro Jahr.", True),
    ("The trial lasts 30 days.",
     "The trial lasts 14 days and the notice period is 30 days.", False),
    ("The notice period is 30 days.",
     "The trial lasts 14 days and the notice period is 30 days.", True),
    ("Part-time employees get 27 days.",
     "Full-time employees get 27 days; part-time employees get 20 days.", False),
    ("Full-time employees get 27 days.",
     "Full-time employees get 27 days; part-time employees get 20 days.", True),
    ("The war lasted from 1990 to 1995.", "The war lasted from 1990 to 1995.", True),
    ("You may work abroad.", "If your manager agrees, you may work abroad.", False),
    ("Unless your manager agrees, you may work abroad.",
     "If your manager agrees, you may work abroad.", False),
    ("You may work abroad.", "You may work abroad provided your manager agrees.", False),
    ("Employees get laptops.", "Laptops are provided to employees.", True),
    ("You pay for the hotel.", "We pay for the hotel.", False),
    ("The company pays for the hotel.", "We pay for the hotel.", True),
    ("The bus runs from Cork to Bonn.", "The bus runs from Bonn to Cork.", False),
    ("Letters are sent to the bank.", "Letters are sent by the bank.", False),
    ("The alarm is switched off at night.", "The alarm is switched on at night.", False),
    ("The firm has 3 billion clients.", "The firm has 3 million clients.", False),
    ("The firm has 3,000,000 clients.", "The firm has three million clients.", True),
    ("Delivery takes 3 days.", "Delivery takes 3 to 5 days.", False),
    ("Delivery takes up to 5 days.", "Delivery takes 3 to 5 days.", True),
    ("The war began in 1990.", "The war began in 1990 and lasted from 1990 to 1995.", True),
    ("Samples are kept at 20 degrees.", "Samples are kept at -20 degrees.", False),
    ("Samples are kept at minus 20 degrees.", "Samples are kept at −20 degrees.", True),
    ("The VPN slows calls.", "It is a myth that the VPN slows calls.", False),
    ("You may park in the yard.", "You may park in the yard, but only at weekends.", False),
    ("The old files vanish.", "The old files might vanish.", False),
    ("Visitors may sign the book.", "Visitors must sign the book.", False),
    ("The tutor praised the dean.", "The dean praised the tutor.", False),
    ("The tutor was praised by the dean.", "The dean praised the tutor.", True),
    ("Alice approves hardware.", "Alice approves travel and Bob approves hardware.", False),
    ("Bob leads the sales team in Cork.", "Alice leads the sales team in Cork with Bob.", False),
    ("In short, the programme ends in May.", "The program ends in May.", True),
    ("After dark, the yard is closed to cars.", "The yard is closed to cars after dark.", True),
]  # fmt: skip


@pytest.mark.parametrize(("claim", "quote", "supported"), CASES)
def test_a_quote_supports_only_what_it_says(claim: str, quote: str, supported: bool) -> None:
    found = check(Reading.of_claim(claim), Reading(quote), Reading(""))
    assert found.given is supported, found


WORDS = st.sampled_from("team office laptop 25 days never Berlin approves not 10 % red €5".split())


@given(st.lists(WORDS, min_size=2, max_size=9), st.integers(2, 998))
def test_a_number_that_the_quote_does_not_hold_is_never_supported(
    words: list[str], number: int
) -> None:
    quote = " ".join(words)
    if str(number) in quote:
        return
    claim = Reading(f"{quote} {number}")
    assert not check(claim, Reading(quote), Reading(f"Title {number}")).given


@given(st.text(max_size=80), st.text(max_size=80))
def test_any_two_texts_can_be_compared(claim: str, quote: str) -> None:
    assert 0.0 <= check(Reading(claim), Reading(quote), Reading("")).score <= 1.0


@pytest.mark.parametrize(
    "forms",
    ["plan planned planning plans", "approve approved approving approves approval approvals",
     "carry carried carries carrying", "policy policies", "require required requirement"],
)  # fmt: skip
def test_the_forms_of_a_word_have_one_stem(forms: str) -> None:
    assert len({stem(word) for word in forms.split()}) == 1


@pytest.mark.parametrize("pair", ["car carry", "employee employer", "universe university"])
def test_different_words_keep_different_stems(pair: str) -> None:
    one, other = pair.split()
    assert stem(one) != stem(other)
