"""`footnote eval add --from-feedback`: an answer that did not help becomes the draft of a case.

    votes in the state store ─▶ is it a public channel? ─▶ its words, read from Slack again
                                                       ─▶ the pages it cited ─▶ a draft in a file

What people write is kept nowhere else, and a file of cases may go far: only questions of channels
that everybody in the company can read leave Slack this way. A person confirms each draft.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urldefrag

from bot.channel_reader import ChannelReader
from bot.channels import Closed, is_id
from bot.client import SlackClient, bot_user_id
from bot.conversation import Citation, Mention, Place
from bot.errors import ConversationUnreadable, MessageGone
from bot.pacing import Pacer
from bot.threads import read_question
from handlers.judging import cases
from handlers.judging.errors import CaseRefused
from handlers.runtime import terminal, wiring
from handlers.runtime.settings import Settings
from handlers.work.answers import kept_citations
from handlers.work.feedback import unhelpful
from handlers.work.ports import ListedStore

OK = 0


@dataclass(slots=True)
class Drafted:
    """The files that were written, and how many answers gave none, by reason."""

    drafts: list[Path] = field(default_factory=list)
    known: int = 0
    private: int = 0
    gone: int = 0


async def run_from_feedback(settings: Settings, folder: Path | None, *, as_json: bool) -> int:
    """Draft the cases and tell. Raises SettingsError, WorkError, SlackConversationError."""
    client = wiring.slack_client(settings)
    async with wiring.opened_store(settings) as store:
        drafted = await draft(client, store, folder or settings.home / "cases")
    if as_json:
        terminal.print_json(drafted)
        return OK
    for path in drafted.drafts:
        print(path)
    terminal.tell(
        f"Drafts: {len(drafted.drafts)}. Left out: {drafted.known} that are there already,"
        f" {drafted.private} of conversations that not everybody can read, {drafted.gone} that are"
        f" gone. To have them asked, {cases.CONFIRM}."
    )
    return OK


async def draft(client: SlackClient, store: ListedStore, folder: Path) -> Drafted:
    """Write a draft for each answer that somebody called not helpful, the oldest first."""
    drafted = Drafted()
    reader = ChannelReader(client, Pacer())
    bot = await bot_user_id(client)
    public: dict[str, bool] = {}
    for key in await unhelpful(store):
        team, channel, ts = key.split(":")
        if channel not in public:
            public[channel] = await _is_public(reader, channel)
        if not public[channel]:
            drafted.private += 1
            continue
        # A message that is asked for by its own ts comes alone, wherever in a thread it stands.
        mention = Mention(team, channel, "", ts, ts, Place.CHANNEL, "")
        try:
            words = (await read_question(client, mention, bot_user_id=bot)).text
        except (MessageGone, ConversationUnreadable):
            words = ""
        if not words.strip():
            drafted.gone += 1
            continue
        case = _case(words, await kept_citations(store, key))
        try:
            drafted.drafts.append(cases.add(case, folder))
        except CaseRefused:
            if not (folder / case.filename).exists():
                raise
            drafted.known += 1
    return drafted


async def _is_public(reader: ChannelReader, channel: str) -> bool:
    if not is_id(channel):
        return False
    found = await reader.find(channel, channel)
    return not (isinstance(found, Closed) or found.private)


def _case(question: str, cited: list[Citation]) -> cases.Case:
    """Return the draft. A page without an address is named by the id that the index gave it."""
    pages = {urldefrag(one.url)[0] or one.document_id: one.title for one in cited}
    return cases.Case(
        question[: cases.LONGEST_QUESTION],
        expects=tuple(page for page in pages if page),
        draft=True,
        notes=tuple(f"{page} is {title}" for page, title in pages.items() if page),
    )
