"""The report as a page: what it shows, and that nothing in it can act."""

import re
from html.parser import HTMLParser

import pytest

from bot.conversation import Turn
from handlers.judging.comparison import Comparison, compare
from handlers.judging.errors import JudgingError
from handlers.judging.judge import Judged
from handlers.judging.model_judge import Opinion
from handlers.judging.report import Measured, rendered, write_report
from handlers.judging.summary import summarised
from handlers.judging.worst import worst
from tests.handlers.judging.conftest import make_answer, make_judged, make_passage
from tests.handlers.judging.test_comparison import block, earlier, good, judged, report, shuffled

HOSTILE = (
    '"><script>alert(1)</script><img src=x onerror=alert(2)> javascript:alert(3)'
    " {{ 7 * 7 }} </style><link rel=stylesheet href=//evil.example>"
)


def measured(name: str, cases: list[Judged]) -> Measured:
    return Measured(summarised(name, cases, documents=3, chunks=9, index_version=2), cases)


def hostile() -> Judged:
    passage = make_passage(HOSTILE, HOSTILE, url="javascript:alert(4)")
    return make_judged(
        HOSTILE,
        {"ndcg_at_10": 0.1, "recall_at_10": 0.0, "answered": 1.0},
        question=HOSTILE,
        history=[Turn("1", "user", HOSTILE), Turn("2", "", HOSTILE)],
        answer=make_answer(HOSTILE, passage),
        passages=[passage],
        gold=HOSTILE,
    )


def compared() -> Comparison:
    return compare(earlier(report()), [report(shuffled)], block(embedder="another"))


class Page(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_nothing_that_was_retrieved_or_asked_becomes_markup() -> None:
    page = Page(rendered([measured(HOSTILE, [hostile()])], block(), compared()))
    assert not {"script", "img", "link", "a", "iframe", "form", "object", "base"} & set(page.tags)
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    assert not {"href", "src", "srcset", "action"} & {name for name, _ in page.attributes}
    assert sum("<script>alert(1)</script>" in text for text in page.texts) >= 5


def test_the_page_forbids_the_browser_to_fetch_anything() -> None:
    page = Page(rendered([measured("tiny", judged(good))], block()))
    policy = dict(page.attributes)["content"] or ""
    policies = [value for name, value in page.attributes if name == "content" and value]
    assert any(value.startswith("default-src 'none'") for value in policies), policy


def test_it_shows_figures_intervals_recipe_plots_and_worst_cases() -> None:
    one = measured("tiny", [*judged(good), hostile()])
    page = rendered([one, measured("other", judged(shuffled))], block(), compared())
    figure = one.report.figures["ndcg_at_10"]
    assert f"{figure.mean:.3f}" in page
    assert f"{figure.low:.3f}–{figure.high:.3f}" in page
    assert "fusion KEYWORD_WEIGHT" in page
    assert "Mean of the sets" in page
    assert page.count("<svg") == 1 + len({*one.report.figures, "recall_at_1"})
    assert "A real loss against the earlier report" in page
    assert re.search(r"embedder</th><td><del>hashing-words-1-64</del></td><td><ins>another", page)
    assert "a gold page is not among the first ten" in page


def test_a_model_has_its_own_heading_and_its_opinion_is_in_no_figure() -> None:
    one = measured("tiny", judged(good))
    opinions = {"tiny": Opinion("judge-model", 40, 30, 2)}
    page = rendered([one], block(), None, opinions)
    assert "A model’s opinion" in page and "judge-model" in page and "0.750" in page
    assert "A model’s opinion" not in rendered([one], block())


def test_a_report_of_one_question_and_of_retrieval_only_is_whole() -> None:
    alone = make_judged("q", {"ndcg_at_10": 1.0, "recall_at_10": 1.0})
    page = rendered([measured("tiny", [alone])], block())
    assert "Mean of the sets" not in page
    assert "nDCG@10" in page


def test_what_cannot_be_written_is_said(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("report")
    write_report(folder / "a.html", [measured("tiny", judged(good))], block())
    assert (folder / "a.html").read_text("utf-8").startswith("<!doctype html>")
    with pytest.raises(JudgingError, match="cannot be written"):
        write_report(folder, [measured("tiny", judged(good))], block())
    assert [one.name for one in folder.iterdir()] == ["a.html"]


def test_the_worst_cases_say_what_went_wrong_each_question_once() -> None:
    cases = [
        make_judged("missed", {"ndcg_at_10": 0.0, "recall_at_10": 0.0, "answered": 0.0}),
        make_judged("refused", {"ndcg_at_10": 1.0, "recall_at_10": 1.0, "answered": 0.0}),
        make_judged("guessed", {"refused": 0.0}, impossible=True, evidence=0.6),
        make_judged("surest", {"refused": 0.0}, impossible=True, evidence=0.9),
        make_judged("beside", {"ndcg_at_10": 1.0, "answered": 1.0, "citation_f1": 0.1}),
        make_judged("made up", {"answered": 1.0, "faithfulness": 0.2}),
        make_judged("low", {"ndcg_at_10": 0.5, "recall_at_10": 1.0, "answered": 1.0}),
        make_judged("fine", {"ndcg_at_10": 1.0, "recall_at_10": 1.0, "answered": 1.0}),
        make_judged("rightly", {"refused": 1.0}, impossible=True),
    ]
    found = [(one.judged.asked.id, one.reason.split(",")[0]) for one in worst(cases)]
    assert [name for name, _ in found] == [
        *("missed", "surest", "guessed", "refused", "beside", "made up", "low")
    ]
    assert len(worst(cases * 1, per_reason=1)) == 6
