"""The settings of the models that search, with those of setting_fields_answers.py. Pure."""

from dataclasses import dataclass
from typing import Annotated

from handlers.runtime import setting_kinds as kinds
from handlers.runtime.setting_fields import Setting
from handlers.runtime.setting_fields_answers import AnswerFields

_SEARCH = "Search"


@dataclass(frozen=True, kw_only=True)
class SearchFields(AnswerFields):
    """The values of the settings of embedder and reranker."""

    embedder: Annotated[
        str,
        Setting(
            _SEARCH,
            "FOOTNOTE_EMBEDDER",
            kinds.text,
            "Any sentence-transformers model, as a folder or by its name on the model hub, or "
            "`openai:NAME` for one behind OPENAI_BASE_URL, which is then sent every document. An "
            "index belongs to its embedder: name another FOOTNOTE_INDEX with it.",
            shown="all-MiniLM-L6-v2, which comes along",
        ),
    ] = ""
    reranker: Annotated[
        str,
        Setting(
            _SEARCH,
            "FOOTNOTE_RERANKER",
            kinds.text,
            "Any cross-encoder of sentence-transformers, as a folder or by its name on the model "
            "hub: it reads the best passages once more, and puts them into its own order.",
        ),
    ] = ""
    reranked: Annotated[
        int,
        Setting(
            _SEARCH,
            "FOOTNOTE_RERANKED",
            kinds.whole(2, 200),
            "How many passages the reranker reads; each costs it time.",
        ),
    ] = 30
