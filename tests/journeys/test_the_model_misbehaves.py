"""Whatever the language model does, Slack shows a correct, cited or honestly reduced answer."""

import pytest

from bot import messages
from tests.doubles.scripted_model import (
    Dies,
    Fails,
    Hangs,
    Nonsense,
    ScriptedModel,
    Step,
    Streams,
)
from tests.journeys.conftest import OpenOffice
from tests.journeys.test_a_question_is_answered import HOLIDAYS, shown

TRUE = "You have 27 days of paid holiday a year [1]."

FALLBACK = "The language model gave no answer"
BROKE_OFF = "The language model broke off"
QUOTES = "quotes from the documents"


async def ask(open_office: OpenOffice, *steps: Step, **settings: str) -> str:
    """Ask the holiday question of a bot whose model follows the script; return what is shown."""
    async with (
        ScriptedModel(*steps) as model,
        open_office(
            OPENAI_BASE_URL=model.base_url,
            OPENAI_MODEL="scripted",
            FOOTNOTE_MODEL_FIRST_TOKEN_SECONDS="2",
            FOOTNOTE_ANSWER_SECONDS="8",
            **settings,
        ) as office,
    ):
        ts = await office.slack.say("alice", "general", f"@Footnote {HOLIDAYS}")
        answer = await office.slack.wait_for_answer("general", ts, 60)
        assert len(office.slack.messages("general", ts)) == 2
    return shown(answer)


async def test_a_part_that_is_missing_is_named_below_the_answer(open_office: OpenOffice) -> None:
    text = await ask(open_office, Streams([TRUE, "\nMISSING: the days of paid holiday"]))
    assert "27 days" in text
    assert "MISSING" not in text
    assert messages.missing("the days of paid holiday") in text


async def test_a_question_back_reaches_slack_in_the_words_of_the_bot(
    open_office: OpenOffice,
) -> None:
    text = await ask(open_office, Streams(["UNCLEAR: how many days do you ", "mean?"]))
    assert messages.unclear("how many days do you mean?") in text
    assert "UNCLEAR" not in text


async def test_a_word_of_disagreement_alone_makes_no_disagreement(open_office: OpenOffice) -> None:
    text = await ask(open_office, Streams([f"DISAGREE\n{TRUE}"]))
    assert "27 days" in text
    assert "DISAGREE" not in text
    assert "The documents disagree" not in text


async def test_a_supported_sentence_is_streamed_with_its_footnote(open_office: OpenOffice) -> None:
    text = await ask(open_office, Streams(["You have 27 days ", "of paid holiday a year", " [1]."]))
    assert "27 days of paid holiday a year" in text
    assert "[1]" in text
    assert FALLBACK not in text


async def test_a_number_that_was_not_offered_never_reaches_slack(open_office: OpenOffice) -> None:
    true = Streams(["You have 27 days of paid holiday a year [7]."])
    text = await ask(open_office, true, FOOTNOTE_PASSAGES="5")
    assert "27 days of paid holiday a year" in text
    assert "[7]" not in text
    assert "[1]" in text
    assert FALLBACK not in text
    assert BROKE_OFF not in text


async def test_an_invented_sentence_is_cut_from_beside_a_true_one(open_office: OpenOffice) -> None:
    text = await ask(open_office, Streams([TRUE, " Contractors get 99 days of holiday [77]."]))
    assert "27 days" in text
    assert "99 days" not in text
    assert "[77]" not in text


async def test_invented_links_images_and_mentions_never_reach_slack(
    open_office: OpenOffice,
) -> None:
    text = await ask(
        open_office,
        Streams(
            [
                "You have 27 days of paid holiday a year, see [here](https://evil.example/a) [1]. ",
                "![x](https://evil.example/pixel.png?q=secret) <!channel> <@UALICE> ",
                "https://evil.example/b",
            ]
        ),
    )
    assert "27 days" in text
    for forbidden in ("evil.example", "<!channel>", "<@UALICE>", "https://"):
        assert forbidden not in text


async def test_an_answer_that_cites_nothing_is_bound_to_quotes_or_not_shown(
    open_office: OpenOffice,
) -> None:
    text = await ask(open_office, Streams(["Our founder likes sailing and owns three boats."]))
    assert "boats" not in text
    assert "27 days" in text
    assert FALLBACK in text


async def test_a_false_sentence_with_a_real_number_is_not_shown(open_office: OpenOffice) -> None:
    text = await ask(open_office, Streams(["You have 40 days of paid holiday a year [1]."]))
    assert "40 days" not in text
    assert "27 days" in text
    assert FALLBACK in text


@pytest.mark.parametrize(
    "steps",
    [
        [Hangs()],
        [Hangs(headers_first=False)],
        [Dies()] * 3,
        [Fails(429, retry_after="1")] * 3,
        [Fails(500)] * 3,
        [Fails(401)],
        [Nonsense("invalid_json")] * 3,
        [Nonsense("html")] * 3,
        [Nonsense("empty_choices")] * 3,
    ],
    ids=lambda steps: f"{type(steps[0]).__name__} {getattr(steps[0], 'status', '')}".strip(),
)
async def test_a_model_that_fails_is_replaced_by_quotes_that_say_so(
    open_office: OpenOffice, steps: list[Step]
) -> None:
    text = await ask(open_office, *steps)
    assert "27 days" in text
    assert "[1]" in text
    assert FALLBACK in text


async def test_a_model_that_dies_in_the_middle_leaves_only_checked_sentences(
    open_office: OpenOffice,
) -> None:
    text = await ask(open_office, Dies([TRUE + " ", "Unused days can be carried ov"]))
    assert text.count("27 days of paid holiday a year") >= 1
    assert "carried ov" not in text.replace("carried over", "")
    assert BROKE_OFF in text
    assert QUOTES not in text


@pytest.mark.parametrize("said", [[TRUE + " ", "Unused days"], [TRUE]], ids=["in", "behind"])
async def test_a_model_that_goes_silent_in_a_sentence_or_behind_it_leaves_what_it_said(
    open_office: OpenOffice, said: list[str]
) -> None:
    text = await ask(open_office, Hangs(said))
    assert "27 days of paid holiday a year" in text
    assert "[1]" in text
    assert BROKE_OFF in text
    assert QUOTES not in text
