"""The last words of a run: only what a tool result supports, for those who may read it now."""

from dataclasses import replace

from bot.conversation import Mention, Place, Question, Verdict
from handlers.tools.concluding import concluded
from handlers.tools.ports import Caller
from handlers.tools.runs import Run
from handlers.tools.surroundings import Surroundings
from index.audience import EVERYONE, Audience, Principal
from index.documents import Passage
from tests.handlers.answering.conftest import make_passage

CALLER = Caller("T1", "C1", "U1", "1.1", Place.CHANNEL)
PUBLIC = Surroundings(CALLER, Audience.everyone())


def run_that_says(text: str, *passages: Passage, truncated: bool = False) -> Run:
    return Run(
        "T1:C1:1.1",
        Mention("T1", "C1", "U1", "1.1", "1.1", Place.CHANNEL, ""),
        question=Question("How long are backups kept, and who pays?"),
        passages=passages,
        text=text,
        truncated=truncated,
    )


def open_to(*principals: Principal) -> Passage:
    readers = frozenset(one.id for one in principals)
    return replace(make_passage("Backups", "Backups are kept for 35 days."), readers=readers)


def test_what_no_result_supports_is_cut() -> None:
    text = "Backups are kept for 35 days. [1] The moon is made of cheese. [1]"
    answer = concluded(run_that_says(text, open_to(EVERYONE)), PUBLIC, model="m")
    assert [sentence.text for sentence in answer.sentences] == ["Backups are kept for 35 days."]
    assert answer.verdict is Verdict.PARTLY
    assert answer.cut == 1
    assert answer.citations[0].quote == "Backups are kept for 35 days."


def test_what_the_room_may_not_read_any_more_is_not_said() -> None:
    secret = open_to(Principal("slack-user", "U9"))
    text = "Backups are kept for 35 days. [1]"
    answer = concluded(run_that_says(text, secret), PUBLIC, model="m")
    assert answer.sentences == ()
    assert answer.verdict is Verdict.NOT_FOUND


def test_what_a_tool_told_in_the_room_may_be_said_there() -> None:
    channel = Principal("slack-channel", "C1")
    private = Surroundings(CALLER, Audience.of((channel, EVERYONE), (channel,)))
    told = replace(open_to(), readers=private.readers)
    answer = concluded(run_that_says("Backups are kept for 35 days.", told), private, model="m")
    assert len(answer.sentences) == 1


def test_who_may_open_what_a_tool_told() -> None:
    channel, mine = Principal("slack-channel", "C1").id, Principal("slack-user", "U1").id
    private = Surroundings(CALLER, Audience.of((Principal("slack-channel", "C1"),)))
    direct = Surroundings(replace(CALLER, place=Place.DIRECT), Audience.everyone())
    assert PUBLIC.readers == {mine, EVERYONE.id}
    assert private.readers == {mine, channel}
    assert direct.readers == {mine}


def test_a_sentence_that_was_broken_off_is_left_out() -> None:
    text = "Backups are kept for 35 days. [1] Backups are kept for"
    run = run_that_says(text, open_to(EVERYONE), truncated=True)
    answer = concluded(run, PUBLIC, model="m")
    assert len(answer.sentences) == 1
    assert answer.truncated


def test_nothing_found_is_said_to_be_so() -> None:
    answer = concluded(run_that_says("NOT_FOUND"), PUBLIC, model="m")
    assert (answer.verdict, answer.sentences, answer.cut) == (Verdict.NOT_FOUND, (), 0)
