import re
from collections.abc import Callable, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handlers.answering.citations import (
    MOST_FOOTNOTES,
    CitationChecker,
    Cut,
    is_lead_in,
    take_marks,
)
from handlers.answering.quotes import CONTEXT_CHARACTERS, deep_link
from handlers.answering.sentences import RawSentence
from index.documents import Passage

CLAIM = "Every full-time employee receives 25 days of paid vacation per calendar year."


def check(passages: Sequence[Passage], text: str, checker: CitationChecker | None = None):  # type: ignore[no-untyped-def]
    checker = checker or CitationChecker(passages)
    return checker.check(RawSentence(text, " ")), checker.citations


def test_a_supported_sentence_gets_a_footnote_with_the_verbatim_quote(
    passages: Sequence[Passage],
) -> None:
    checked, citations = check(
        passages, "You may carry over up to 5 unused days until 31 March. [1]"
    )
    assert checked.sentence is not None
    assert checked.sentence.text == "You may carry over up to 5 unused days until 31 March."
    assert checked.sentence.citations == (1,)
    (citation,) = citations
    text = passages[0].chunk.text
    assert citation.quote == "Up to 5 unused days may be carried over until 31 March."
    assert f"{citation.before}{citation.quote}{citation.after}" in text
    assert citation.before.endswith("per calendar year. ")
    assert citation.after.startswith(" Carried-over days")
    assert citation.url == "https://handbook.example/vacation#vacation"
    assert (citation.title, citation.heading) == ("Vacation", "Time off › Vacation")
    assert citation.document_id == passages[0].chunk.document_id
    assert citation.updated_at == passages[0].updated_at


@pytest.mark.parametrize(
    "marks",
    [
        "[1]",
        "[^1]",
        "【1】",
        "【1†source】",
        "[1][3]",
        "[1, 3]",
        "[7][1]",
        "\\[1\\]",
        "[1-2]",
        "[9] [1]",
    ],
)
def test_every_way_of_citing_is_read_and_taken_out(passages: Sequence[Passage], marks: str) -> None:
    checked, citations = check(passages, f"{CLAIM[:-1]} {marks}.")
    assert checked.sentence is not None
    assert checked.sentence.text == CLAIM
    assert [c.title for c in citations] == ["Vacation"]


def test_a_number_that_was_not_offered_is_dropped_and_an_unsupported_rest_is_cut(
    passages: Sequence[Passage],
) -> None:
    checked, citations = check(passages, "The canteen serves soup on Mondays. [7]")
    assert checked.sentence is None
    assert checked.cut is Cut.UNKNOWN_NUMBER
    assert citations == ()


def test_a_supported_sentence_with_an_unknown_number_rests_on_the_passage_that_says_it(
    passages: Sequence[Passage],
) -> None:
    checked, citations = check(passages, "Alcohol is not reimbursed. [7]")
    assert checked.sentence is not None
    assert [c.title for c in citations] == ["Expenses"]


def test_a_sentence_with_the_wrong_number_rests_on_the_passage_that_says_it(
    passages: Sequence[Passage],
) -> None:
    _, citations = check(passages, "Alcohol is not reimbursed. [1]")
    assert [c.quote for c in citations] == ["Alcohol is not reimbursed."]


def test_a_number_whose_passage_does_not_say_it_is_dropped(passages: Sequence[Passage]) -> None:
    checked, citations = check(passages, "Passwords must have at least 14 characters. [1][5]")
    assert checked.sentence is not None
    assert [c.title for c in citations] == ["Security"]


@pytest.mark.parametrize(
    "claim",
    [
        "Every full-time employee receives 30 days of paid vacation per calendar year. [1]",
        "Every full-time employee receives 25 weeks of paid vacation per calendar year. [1]",
        "Every contractor receives 25 days of paid vacation per calendar year. [1]",
        "Contractors are entitled to paid vacation. [1]",
        "Alcohol is reimbursed. [2]",
        "Everyone may book trains in first class. [2]",
        "Interns may book trains in first class. [2]",
        "Meals on business trips are reimbursed from 50 euros per day. [2]",
        "Meals on business trips are reimbursed with 50 euros per day. [2]",
        "Meals on business trips are reimbursed up to 50 dollars per day. [2]",
        "Receipts must be submitted in Expensify within 30 days. [2]",
        "Up to 5 unused days may be carried over until 31 May. [1]",
        "The VPN is required for the wiki. [5]",
        "Passwords must have at most 14 characters. [5]",
        "Passwords must have 14 characters. [5]",
        "Lost laptops are reported to security after 24 hours. [4]",
        "The security team approves each stay in advance. [3]",
        "Paris is the capital of France. [1]",
        "Yes. [1]",
        "No. [2]",
    ],
)
def test_a_claim_that_its_quote_does_not_support_is_cut(
    passages: Sequence[Passage], claim: str
) -> None:
    checked, citations = check(passages, claim)
    assert checked.sentence is None, checked
    assert citations == ()


@pytest.mark.parametrize(
    "claim",
    [
        "Full-time employees receive 25 days of paid vacation a year. [1]",
        "No, contractors are not entitled to paid vacation. [1]",
        "Meals are reimbursed up to €50 per day on business trips. [2]",
        "The wiki no longer requires the VPN. [5]",
        "Each stay is approved in advance by the team lead. [3]",
        "You can submit receipts in Ledgerly within 30 days. [2]",
        "Your laptop is replaced after 4 years. [4]",
        "Everyone except interns may book trains in first class. [2]",
        "Questions go to people@northwind.example or #people-ops. [3]",
    ],
)
def test_a_fair_paraphrase_is_shown(passages: Sequence[Passage], claim: str) -> None:
    checked, citations = check(passages, claim)
    assert checked.sentence is not None, checked
    assert len(citations) == 1


def test_two_passages_may_support_a_sentence_together(passages: Sequence[Passage]) -> None:
    joint = (
        "Every full-time employee receives 25 days of paid vacation per calendar year and may work"
        " from another country for at most 30 days per year. [1][3]"
    )
    checked, citations = check(passages, joint)
    assert checked.sentence is not None
    assert checked.sentence.citations == (1, 2)
    assert [c.title for c in citations] == ["Vacation", "Remote work"]


def test_a_pronoun_takes_the_sentence_before_into_the_quote(
    passage: Callable[..., Passage],
) -> None:
    offered = [passage("Bob", "Bob Lindgren leads the platform team. He approves hardware orders.")]
    checked, citations = check(offered, "Bob Lindgren approves hardware orders. [1]")
    assert checked.sentence is not None
    assert citations[0].quote == offered[0].chunk.text


def test_words_of_two_people_are_not_mixed(passage: Callable[..., Passage]) -> None:
    offered = [passage("Approvals", "Alice Berg approves travel. Bob Lindgren approves hardware.")]
    assert check(offered, "Bob Lindgren approves travel. [1]")[0].sentence is None


def test_footnotes_are_numbered_in_reading_order_and_shared(passages: Sequence[Passage]) -> None:
    checker = CitationChecker(passages)
    numbers = [
        checker.check(RawSentence(text, " ")).sentence
        for text in (
            "Passwords must have at least 14 characters. [5]",
            f"{CLAIM} [1]",
            "Passwords must have at least 14 characters. [5]",
            "Contractors are not entitled to paid vacation. [1]",
        )
    ]
    assert [s.citations for s in numbers if s] == [(1,), (2,), (1,), (3,)]
    assert [c.number for c in checker.citations] == [1, 2, 3]
    assert [c.title for c in checker.citations] == ["Security", "Vacation", "Vacation"]


def test_an_eleventh_footnote_is_not_made(passage: Callable[..., Passage]) -> None:
    names = "amber birch cedar dahlia elder fern ginger hazel iris juniper kale laurel".split()
    offered = [passage(n, f"The {n} cupboard stores {n} samples permanently.") for n in names]
    checker = CitationChecker(offered)
    checked = [
        checker.check(RawSentence(f"The {n} cupboard stores {n} samples permanently. [{i}]", " "))
        for i, n in enumerate(names, start=1)
    ]
    assert len(checker.citations) == MOST_FOOTNOTES
    assert [c.cut for c in checked[MOST_FOOTNOTES:]] == [Cut.TOO_MANY_FOOTNOTES] * 2


@pytest.mark.parametrize("text", ["Here is how:", "Here are the steps:", "To do this:"])
def test_a_lead_in_may_stand_without_a_footnote(passages: Sequence[Passage], text: str) -> None:
    checked, _ = check(passages, text)
    assert checked.sentence is not None
    assert not checked.claim
    assert checked.sentence.citations == ()


@pytest.mark.parametrize(
    "text", ["Paris is the capital:", "Here is 5:", "Everything is allowed:", "Here is how.", ":"]
)
def test_a_lead_in_has_no_content_of_its_own(text: str) -> None:
    assert not is_lead_in(text)


def test_code_passes_only_if_each_line_stands_in_a_passage(passages: Sequence[Passage]) -> None:
    checker = CitationChecker(passages)
    good = checker.check(RawSentence("fleetctl enroll --team berlin\n[4]", "\n", code=True))
    assert good.sentence is not None
    assert good.sentence.text == "```\nfleetctl enroll --team berlin\n```\n"
    assert checker.citations[0].quote == "fleetctl enroll --team berlin"
    bad = checker.check(RawSentence("fleetctl enroll --team paris\n[4]", "\n", code=True))
    assert bad.cut is Cut.UNSUPPORTED


@pytest.mark.parametrize(
    ("url", "anchor", "link"),
    [
        ("https://a.example/x", "", "https://a.example/x"),
        ("https://a.example/x", "two words", "https://a.example/x#two%20words"),
        ("https://a.example/x#there", "other", "https://a.example/x#there"),
        ("http://a.example/x#", "b", "http://a.example/x#b"),
        ("javascript:alert(1)", "", ""),
        ("data:text/html,x", "", ""),
        ("file:///etc/passwd", "a", ""),
        ("https://", "", ""),
        ("https://a.example/<x>|y", "", ""),
        ("https://a.example/a b", "", ""),
        ("https://[bad", "", ""),
        ("/relative", "a", ""),
        ("", "a", ""),
        ("https://a.example/x", "><!channel>", "https://a.example/x#%3E%3C!channel%3E"),
    ],
)
def test_a_link_is_a_plain_web_address_or_nothing(url: str, anchor: str, link: str) -> None:
    assert deep_link(url, anchor) == link


def test_marks_in_code_are_code() -> None:
    assert take_marks("Use `items[1]` here [2].") == ([2], "Use `items[1]` here.")


HOSTILE = st.sampled_from(
    [
        "https://evil.example",
        "![x](https://evil.example/x.png)",
        "<!channel>",
        "<@U1>",
        "@here",
        "[go](https://evil.example)",
        "[1]: https://evil.example",
        "\u200b",
        "\u202e",
        "<b>",
        "evil.example",
        "[1]",
        "[2][3]",
        "[7]",
        "【5】",
        "\n",
        " ",
        "not ",
        "never ",
        "26 ",
        "&lt;!here&gt;",
        "`",
        "**",
    ]
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_whatever_the_model_says_quotes_are_verbatim_and_nothing_foreign_is_shown(
    passages: Sequence[Passage], data: st.DataObject
) -> None:
    checker = CitationChecker(passages)
    claims = [s for p in passages for s in re.split(r"(?<=\.) ", p.chunk.text)]
    for _ in range(data.draw(st.integers(1, 5))):
        words = data.draw(st.sampled_from(claims)).split(" ")
        for hostile in data.draw(st.lists(HOSTILE | st.text(max_size=5), max_size=4)):
            words.insert(data.draw(st.integers(0, len(words))), hostile)
        code = data.draw(st.booleans())
        checked = checker.check(RawSentence(" ".join(words) + " [1]", " ", code=code))
        if checked.sentence is None:
            continue
        shown = checked.sentence.text
        assert not re.search(r"://|<[@!#]|!\[|\]\(|@here|evil|[\u200b\u202e]", shown), shown
        assert checked.sentence.citations or not checked.claim
        assert all(1 <= n <= len(checker.citations) for n in checked.sentence.citations)
    by_document = {p.chunk.document_id: p for p in passages}
    for place, citation in enumerate(checker.citations, start=1):
        passage = by_document[citation.document_id]
        assert citation.number == place
        assert citation.quote.strip()
        assert f"{citation.before}{citation.quote}{citation.after}" in passage.chunk.text
        assert max(len(citation.before), len(citation.after)) <= CONTEXT_CHARACTERS
        assert citation.url.startswith(passage.url)
