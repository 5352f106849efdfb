"""Five places of documents, served as they are in the world, and the catalog that names them.

    guides    2,757 pages of Markdown in folders within folders
    manual    1,169 pages of HTML, a website that links lead through
    code      a Git repository of 600 files behind git's own HTTP program
    chat      37 logs of support chat, poured into channels, every third of them private
    formats   a folder with every format that is read, and every way in which a file cannot be

The first two and the chat are real, and lie in shared/data beside the checkout.
"""

import tarfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.client import make_client
from bot.playground import Playground
from handlers.adapters.slack_source import slack_kind
from handlers.runtime.settings import Settings
from handlers.runtime.sources import kinds
from index.sources.catalog import Kind
from tests.doubles import every_format
from tests.doubles.clocks import ManualClock
from tests.doubles.git_remote import GitRemote, served_over_http
from tests.doubles.irc_channels import logs, pour
from tests.doubles.scripted_embeddings import ScriptedEmbeddings
from tests.doubles.website import Page, Website

DATA = Path(__file__).parents[2].parent / "shared" / "data"
GUIDES = DATA / "awsdocs-tree" / "awsdocs-14guides-md.tar.gz"
MANUAL = DATA / "pgdocs-html" / "pgdocs-html.tar.gz"
TOKEN = "xoxb-playground"
CATALOG = """
[[source]]
name = "guides"
kind = "folder"
readers = ["everyone"]
path = "guides"

[[source]]
name = "manual"
kind = "web"
readers = ["everyone"]
start = "{site}index.html"
allow_private = ["{host}"]
per_second = 1000

[[source]]
name = "code"
kind = "git"
readers = ["domain:example.com"]
url = "{git}/code"

[[source]]
name = "chat"
kind = "slack"
channels = {channels}
since = 2020-01-01

[[source]]
name = "formats"
kind = "folder"
readers = ["everyone"]
path = "formats"
"""


@dataclass(frozen=True)
class Places:
    """The places while they are served. ``skipped`` is what of ``formats`` cannot be read, why."""

    environment: Mapping[str, str]
    kinds: Mapping[str, Kind]
    site: Website
    embeddings: ScriptedEmbeddings
    skipped: Mapping[str, str]

    def settings(self, **more: str) -> Settings:
        """Return the settings of whoever syncs them."""
        return Settings.load({**self.environment, **more})


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[Places]:
    """Fill all places, and serve them until the block is left."""
    unpack(GUIDES, folder / "guides", ".md")
    unpack(MANUAL, folder / "manual", ".html")
    skipped = every_format.fill(folder / "formats")
    GitRemote(folder / "remotes" / "code").hold(repository(600))
    clock = ManualClock()
    async with AsyncExitStack() as open_ones:
        slack = await open_ones.enter_async_context(
            Playground(signing_secret="s", bot_token=TOKEN, clock=clock)
        )
        poured = [
            pour(slack, clock, log, number, private=number % 3 == 0)
            for number, log in enumerate(logs())
        ]
        site = await open_ones.enter_async_context(Website(pages_of(folder / "manual")))
        remote = await open_ones.enter_async_context(served_over_http(folder / "remotes"))
        embeddings = open_ones.enter_context(ScriptedEmbeddings(dimensions=16))
        catalog = CATALOG.format(
            site=site.url(), host=site.host, git=remote.url, channels=[one.id for one in poured]
        )
        (folder / "sources.toml").write_text(catalog, "utf-8")
        environment = {
            "FOOTNOTE_HOME": str(folder / "home"),
            "FOOTNOTE_SOURCES": str(folder / "sources.toml"),
            "FOOTNOTE_EMBEDDER": "openai:words",
            "OPENAI_BASE_URL": embeddings.base_url,
            "OPENAI_API_KEY": "sk-words",
            "SLACK_BOT_TOKEN": TOKEN,
            "SLACK_API_URL": slack.api_url,
        }

        async def pause(seconds: float) -> None:
            clock.advance(seconds)

        # Slack's pace would take hours: waiting moves the clock, which is the workspace's too.
        client = make_client(TOKEN, slack.api_url)
        known = {
            **kinds(Settings.load(environment)),
            "slack": slack_kind(client, clock=clock, pause=pause),
        }
        yield Places(environment, known, site, embeddings, skipped)


def unpack(archive: Path, folder: Path, suffix: str) -> None:
    """Unpack the files with this suffix."""
    with tarfile.open(archive) as tar:
        members = [one for one in tar.getmembers() if one.isfile() and one.name.endswith(suffix)]
        tar.extractall(folder, members=members, filter="data")


def pages_of(folder: Path) -> dict[str, Page]:
    """Return the pages of a website whose files lie in a folder."""
    return {f"/{path.name}": Page(path.read_bytes()) for path in folder.rglob("*.html")}


def repository(count: int) -> dict[str, str]:
    """Return files of prose and of code in folders, each with words of its own."""
    made = {
        ".md": "# Step {n}\n\nThe step{n} is taken before step{m}.\n",
        ".rst": "Step {n}\n=======\n\nThe step{n} is taken before step{m}.\n",
        ".py": 'def step{n}():\n    """Take the step{n}."""\n    return step{m}()\n',
    }
    suffixes = list(made)
    return {
        f"part{n % 20}/step{n}{suffixes[n % 3]}": made[suffixes[n % 3]].format(n=n, m=n + 1)
        for n in range(count)
    }
