"""What the command line prints of an answer."""

import pytest

from bot import messages
from bot.conversation import Answer, Sentence, Verdict
from handlers.runtime.terminal import show_answer


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (
            Answer(Verdict.PARTLY, (Sentence("Yes.", (1,)),), model="m", fallback=True),
            f"Yes. [1] {messages.BROKE_OFF}",
        ),
        (
            Answer(Verdict.NOT_FOUND, fallback=True),
            f"{messages.NOT_FOUND} {messages.FALLBACK_EMPTY}",
        ),
        (
            Answer(Verdict.UNCLEAR, question_back="Which office?"),
            messages.unclear("Which office?"),
        ),
        (
            Answer(Verdict.PARTLY, (Sentence("Yes.", (1,)),), model="m", missing="[red]the cost"),
            f"Yes. [1] {messages.missing('[red]the cost')}",
        ),
    ],
)
def test_an_answer_is_printed_with_its_notes(
    answer: Answer, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    show_answer(answer)
    assert " ".join(capsys.readouterr().out.split()) == says
