"""index.sources.git: real repositories made by the git program, over file:// and real HTTP."""

import asyncio
import contextlib
import os
import shutil
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from index.audience import EVERYONE, Audience, Principal
from index.documents import DocumentRef
from index.errors import CatalogInvalid, DocumentUnreadable, SourceUnavailable
from index.formats import LARGEST_BYTES
from index.lance import LanceIndex
from index.parsing import DocumentParser
from index.sources import git
from index.sources.catalog import Given, read_catalog
from index.sources.git import GitSource
from index.sources.ruled import ruled
from index.sources.rules import RULE_FILE
from index.sync import SyncReport, sync
from tests.doubles.git_remote import GitRemote, HttpRemote, served_over_http
from tests.doubles.hashing_embedder import HashingEmbedder

WEB = "https://git.example/{path}?at={commit}"
EARLY = "2020-05-01T10:00:00+00:00"


@pytest.fixture
def remote(tmp_path: Path) -> GitRemote:
    remote = GitRemote(tmp_path / "remotes" / "handbook")
    remote.hold({"a.md": "# A", "docs/b.md": "# B", "docs/c.txt": "c"})
    return remote


@pytest.fixture
async def http(tmp_path: Path) -> AsyncIterator[HttpRemote]:
    async with served_over_http(tmp_path / "remotes") as served:
        yield served


def opened(tmp_path: Path, url: str, *, secret: str = "", **options: Any) -> GitSource:
    given = Given(
        "handbook", frozenset({EVERYONE.id}), tmp_path, tmp_path / "work", lambda name: secret
    )
    source = git.KIND.make(given, git.GitOptions(url=url, **{"web": WEB, **options}))
    assert isinstance(source, GitSource)
    return source


async def refs(source: GitSource) -> dict[str, DocumentRef]:
    return {ref.location: ref async for ref in source.list()}


async def text_of(source: GitSource, location: str) -> str:
    return (await source.fetch((await refs(source))[location])).content.decode()


async def reason(source: GitSource) -> str:
    with pytest.raises(SourceUnavailable, match=r"\.$") as caught:
        await refs(source)
    return str(caught.value)


async def test_documents_of_the_main_branch_are_listed_with_the_id_of_their_content(
    remote: GitRemote, tmp_path: Path
) -> None:
    listed = await refs(opened(tmp_path, remote.url))
    assert list(listed) == ["a.md", "docs/b.md", "docs/c.txt"]
    assert listed["a.md"].version == remote.git("rev-parse", "HEAD:a.md")


async def test_a_commit_elsewhere_leaves_a_document_alone_and_its_link_right(
    remote: GitRemote, tmp_path: Path
) -> None:
    source, first = opened(tmp_path, remote.url), remote.git("rev-parse", "HEAD")
    before = await refs(source)
    assert (await source.fetch(before["a.md"])).url == f"https://git.example/a.md?at={first}"
    remote.write({"docs/b.md": "# B, again"})
    second = remote.commit()
    after = await refs(source)
    assert after["a.md"] == before["a.md"] and after["docs/b.md"] != before["docs/b.md"]
    changed = await source.fetch(after["docs/b.md"])
    assert changed.url == f"https://git.example/docs/b.md?at={second}"
    assert changed.content == b"# B, again"


async def test_a_second_listing_of_a_large_repository_transfers_little(
    tmp_path: Path, http: HttpRemote
) -> None:
    remote = GitRemote(tmp_path / "remotes" / "large")
    remote.hold({f"d{n % 20}/page{n}.md": f"# {n}\n" + os.urandom(3_000).hex() for n in range(600)})
    source = opened(tmp_path, f"{http.url}/large")
    first = await refs(source)
    whole, http.sent = http.sent, 0
    assert len(first) == 600 and whole > 1_000_000
    assert await refs(source) == first
    unchanged, http.sent = http.sent, 0
    remote.write({"d7/page7.md": "# changed"})
    remote.git("rm", "--quiet", "d8/page8.md")
    remote.commit()
    second = await refs(opened(tmp_path, f"{http.url}/large"))
    assert second.keys() == first.keys() - {"d8/page8.md"}
    assert [one for one in second if second[one] != first[one]] == ["d7/page7.md"]
    assert unchanged < 1_000 and http.sent < whole / 50


async def test_only_the_newest_commit_is_fetched_and_what_left_it_leaves_the_disk(
    remote: GitRemote, tmp_path: Path
) -> None:
    remote.hold({"a.md": "the secret word"})
    secret = remote.git("rev-parse", "HEAD:a.md")
    source = opened(tmp_path, remote.url)
    await refs(source)
    work = tmp_path / "work" / "repository.git"
    remote.hold({"a.md": "no word"})
    await refs(source)
    assert (await source.fetch((await refs(source))["a.md"])).content == b"no word"
    every = "--batch-all-objects"
    held = remote.git(f"--git-dir={work}", "cat-file", "--batch-check", every, GIT_DIR=str(work))
    assert secret not in held and held.count(" commit ") == 1


async def test_a_named_branch_or_tag_is_read(remote: GitRemote, tmp_path: Path) -> None:
    remote.git("checkout", "--quiet", "-b", "drafts/größe")
    remote.hold({"draft.md": "d"})
    remote.git("tag", "-a", "v1", "-m", "one")
    remote.git("checkout", "--quiet", "main")
    for branch in ("drafts/größe", "v1", "refs/heads/drafts/größe"):
        assert list(await refs(opened(tmp_path, remote.url, branch=branch))) == ["draft.md"]


async def test_folder_include_and_exclude_choose_documents(
    remote: GitRemote, tmp_path: Path
) -> None:
    remote.hold({"a.md": "a", "docs/b.md": "b", "docs/c.txt": "c", "docs/old/d.md": "d"})
    below = opened(tmp_path, remote.url, folder="/docs/")
    assert list(await refs(below)) == ["docs/b.md", "docs/c.txt", "docs/old/d.md"]
    chosen = opened(tmp_path, remote.url, include=["*.md"], exclude=["docs/old/", "/a.md"])
    assert list(await refs(chosen)) == ["docs/b.md"]


async def test_a_rewritten_branch_is_followed(remote: GitRemote, tmp_path: Path) -> None:
    source = opened(tmp_path, remote.url)
    await refs(source)
    remote.git("checkout", "--quiet", "--orphan", "other")
    remote.hold({"only.md": "o"})
    remote.git("branch", "--force", "main", "other")
    assert list(await refs(source)) == ["only.md"]


async def test_a_branch_that_is_gone_is_an_unavailable_source_not_an_empty_one(
    remote: GitRemote, tmp_path: Path
) -> None:
    source = opened(tmp_path, remote.url, branch="main")
    await refs(source)
    remote.git("checkout", "--quiet", "-b", "trunk")
    remote.git("branch", "-D", "main")
    assert "has no branch or tag 'main'" in await reason(source)


async def test_what_cannot_be_reached_is_named(tmp_path: Path) -> None:
    GitRemote(tmp_path / "empty")
    assert "has no commit" in await reason(opened(tmp_path, f"file://{tmp_path}/empty"))
    assert "Check the address" in await reason(opened(tmp_path, f"file://{tmp_path}/nowhere"))
    assert "Check the address" in await reason(opened(tmp_path, "nowhere"))
    said = await reason(opened(tmp_path, "http://127.0.0.1:9/x"))
    assert "could not be reached" in said


async def test_a_path_beside_the_catalog_is_an_address(remote: GitRemote, tmp_path: Path) -> None:
    assert "a.md" in await refs(opened(tmp_path, "remotes/handbook"))


async def test_a_shallow_remote_and_one_with_sha256_are_read(
    remote: GitRemote, tmp_path: Path
) -> None:
    remote.hold({"a.md": "newer"})
    remote.git("clone", "--quiet", "--depth=1", remote.url, str(tmp_path / "shallow"))
    source = opened(tmp_path, str(tmp_path / "shallow"))
    assert await text_of(source, "a.md") == "newer"
    modern = GitRemote(tmp_path / "modern", hashed="sha256")
    modern.hold({"a.md": "long ids"})
    for _ in range(2):
        assert await text_of(opened(tmp_path, modern.url), "a.md") == "long ids"


async def test_names_and_kinds_of_entries_that_no_folder_has_do_no_harm(
    remote: GitRemote, tmp_path: Path
) -> None:
    plain = ("100644", "blob")
    commit = remote.commit_entries(
        {
            b"-rf.md": (*plain, b"dash"),
            b"--upload-pack=touch pwned.md": (*plain, b"option"),
            b"a\nb.md": (*plain, b"newline"),
            b"caf\xe9.md": (*plain, b"latin"),
            b"q\"uo'te$(id)`.md": (*plain, b"quote"),
            "\u202egnp.md".encode(): (*plain, b"right to left"),
            b"x/" * 400 + b"deep.md": (*plain, b"deep"),
            b"n" * 4_000 + b".md": (*plain, b"long"),
            b"run.md": ("100755", "blob", b"program"),
            b"link.md": ("120000", "blob", b"/etc/passwd"),
            b"module.md": ("160000", "commit", b"1" * 40),
            b".hidden.md": (*plain, b"hidden"),
            b".github/x.md": (*plain, b"hidden"),
            b"logo.png": (*plain, b"png"),
        }
    )
    source = opened(tmp_path, remote.url)
    listed = await refs(source)
    contents = {one: (await source.fetch(ref)).content for one, ref in listed.items()}
    assert contents == {
        "-rf.md": b"dash",
        "--upload-pack=touch pwned.md": b"option",
        "a\nb.md": b"newline",
        "caf%E9.md": b"latin",
        "q\"uo'te$(id)`.md": b"quote",
        "\u202egnp.md": b"right to left",
        "x/" * 400 + "deep.md": b"deep",
        "n" * 4_000 + ".md": b"long",
        "run.md": b"program",
    }
    urls = {(await source.fetch(ref)).url for ref in listed.values()}
    assert f"https://git.example/caf%E9.md?at={commit}" in urls
    assert f"https://git.example/a%0Ab.md?at={commit}" in urls
    assert not any("pwned" in file for _, _, files in os.walk(tmp_path) for file in files)


async def test_what_is_too_large_or_kept_elsewhere_is_refused_by_name(
    remote: GitRemote, tmp_path: Path
) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
    remote.write({"lfs.md": pointer, "about-lfs.md": pointer + "x" * 2_000, "plan.doc": "d"})
    (remote.root / "huge.txt").write_bytes(b"\0" * (LARGEST_BYTES + 1))
    remote.commit()
    source = opened(tmp_path, remote.url)
    listed = await refs(source)
    for location, word in (
        ("lfs.md", "Git LFS"),
        ("huge.txt", "split it"),
        ("plan.doc", "as one of .docx"),
    ):
        with pytest.raises(DocumentUnreadable, match=word):
            await source.fetch(listed[location])
    assert await source.fetch(listed["about-lfs.md"])


async def test_nothing_that_a_repository_brings_is_run(remote: GitRemote, tmp_path: Path) -> None:
    """Hooks, filters, text conversion, attributes and submodules of what is fetched."""
    trap = f"touch {tmp_path}/sprung"
    remote.write(
        {
            ".gitattributes": "*.md filter=trap diff=trap\n",
            ".gitmodules": f'[submodule "s"]\n\tpath = s\n\turl = ext::sh -c "{trap}"\n',
            ".lfsconfig": "[lfs]\n\turl = http://127.0.0.1:9\n",
        }
    )
    remote.commit()
    source = opened(tmp_path, remote.url)
    await refs(source)
    work = tmp_path / "work" / "repository.git"
    hook = work / "hooks" / "post-fetch"
    hook.parent.mkdir()
    for name in ("post-fetch", "reference-transaction", "post-index-change", "pre-auto-gc"):
        (hook.parent / name).write_text(f"#!/bin/sh\n{trap}\n")
        (hook.parent / name).chmod(0o755)
    home = tmp_path / "work" / "home"
    (home / ".gitconfig").write_text(
        f'[filter "trap"]\n\tsmudge = {trap}\n[core]\n\tpager = {trap}\n'
    )
    remote.write({"a.md": "again"})
    remote.commit()
    assert await text_of(source, "a.md") == "again"
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    "url",
    [
        *("ext::sh -c touch% pwned", "-oProxyCommand=x", "--upload-pack=x", "fd::17", ""),
        *("git://host/x", "ftp://host/x", "ssh://-oProxyCommand=x/y", "https://u:p@host/x"),
        *("https://token@host/x", "https://host/\nx", "transport::address"),
    ],
)
def test_an_address_that_is_none_is_refused_in_the_catalog(url: str) -> None:
    with pytest.raises(CatalogInvalid, match="url: "):
        declare(f"url = {url!r}".replace("'", '"'))


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ('branch = "-x"', "branch"),
        ('branch = "a b"', "branch"),
        ('branch = "a*"', "branch"),
        ('folder = "../x"', "folder"),
        ('include = ["!x"]', "include"),
        ('exclude = [""]', "exclude"),
        ('web = "ftp://x/{path}"', "web"),
        ('web = "https://x/"', "web"),
        ('web = "https://x/{path}/{rev}"', "{rev}"),
        ("depth = 0", "depth"),
        ("seconds = 0", "seconds"),
    ],
)
def test_an_option_that_cannot_be_meant_is_refused(options: str, word: str) -> None:
    with pytest.raises(CatalogInvalid) as caught:
        declare(f'url = "https://host/x"\n{options}')
    assert word in str(caught.value) and ".." not in str(caught.value).replace("'..", "")


def test_a_token_is_not_sent_in_the_clear() -> None:
    for url in ("http://host.example/x", "git@host.example:x", "/srv/x"):
        with pytest.raises(CatalogInvalid, match="https only"):
            declare(f'url = "{url}"\ntoken = "GIT_TOKEN"')


def declare(options: str) -> None:
    head = '[[source]]\nname = "a"\nkind = "git"\nreaders = ["everyone"]\n'
    read_catalog(head + options, {"git": git.KIND})


async def test_a_token_reaches_the_host_and_no_command_line_file_or_error(
    remote: GitRemote, tmp_path: Path, http: HttpRemote
) -> None:
    assert remote.root.name == "handbook"
    http.token = "s3cr3t-t0ken"
    url = f"{http.url}/handbook"
    assert "Check that the token" in await reason(opened(tmp_path, url))
    wrong = await reason(opened(tmp_path, url, token="T", secret="wr0ng"))
    assert "Check that the token" in wrong and "wr0ng" not in wrong
    source, seen = opened(tmp_path, url, token="T", secret=http.token), set[str]()
    reading = asyncio.create_task(text_of(source, "a.md"))
    while not reading.done():
        seen |= set(running("git"))
        await asyncio.sleep(0.002)
    assert await reading == "# A"
    assert seen and not any(http.token in line for line in seen)
    for path in (tmp_path / "work").rglob("*"):
        assert not path.is_file() or http.token.encode() not in path.read_bytes()


async def test_a_token_does_not_follow_a_redirect(
    remote: GitRemote, tmp_path: Path, http: HttpRemote
) -> None:
    async with served_over_http(tmp_path / "remotes") as other:
        # 403 in the address, as in the port 40373, is no answer that says "forbidden"
        for name in ("moved", "moved-403-denied"):
            http.redirects[name] = f"{other.url}/handbook/info/refs?service=git-upload-pack"
            said = await reason(opened(tmp_path, f"{http.url}/{name}", token="T", secret="s3cr3t"))
            assert "address that it leads to" in said and not other.authorizations
        assert "a.md" in await refs(opened(tmp_path, f"{http.url}/moved"))


async def test_a_host_that_does_not_answer_is_given_up_with_all_processes_ended(
    tmp_path: Path, http: HttpRemote
) -> None:
    http.hangs = True
    began = time.monotonic()
    said = await reason(opened(tmp_path, f"{http.url}/handbook", seconds=1.0))
    assert "longer than 1 seconds" in said and time.monotonic() - began < 5
    assert not running(str(tmp_path / "work")) and not running(http.url)


async def test_a_cancelled_listing_ends_its_processes(tmp_path: Path, http: HttpRemote) -> None:
    http.hangs = True
    listing = asyncio.create_task(refs(opened(tmp_path, f"{http.url}/handbook")))
    async with asyncio.timeout(10):
        while not running(http.url):  # noqa: ASYNC110 - another process cannot set an event
            await asyncio.sleep(0.02)
    listing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await listing
    assert not running(http.url)


def running(word: str) -> list[str]:
    """Return the command lines, as ``ps`` would show them, of git's processes that hold a word."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            line = path.read_bytes().decode("utf-8", "replace")
            if word in line and "git" in line.split("\0")[0]:
                found.append(line)
    return found


def break_head(repository: Path) -> None:
    (repository / "HEAD").write_bytes(b"")


def break_configuration(repository: Path) -> None:
    (repository / "config").write_bytes(b"[core\n")


def break_packs(repository: Path) -> None:
    for pack in [*repository.rglob("*.pack"), *repository.rglob("??/" + "?" * 38)]:
        pack.chmod(0o644)
        pack.write_bytes(b"PACK" + b"\0" * 40)


def break_lock(repository: Path) -> None:
    (repository / "shallow.lock").write_bytes(b"")


def break_shallow(repository: Path) -> None:
    (repository / "shallow").unlink()


def break_folder(repository: Path) -> None:
    shutil.rmtree(repository)
    repository.write_text("no folder")


BROKEN = (
    *(break_head, break_configuration, break_packs, break_lock, break_shallow, break_folder),
    shutil.rmtree,
)


@pytest.mark.parametrize("broken", BROKEN, ids=lambda one: one.__name__)
async def test_a_copy_that_is_broken_is_begun_afresh(
    broken: Any, remote: GitRemote, tmp_path: Path
) -> None:
    assert len(await refs(opened(tmp_path, remote.url))) == 3
    broken(tmp_path / "work" / "repository.git")
    remote.write({"a.md": "newer"})
    remote.commit()
    assert await text_of(opened(tmp_path, remote.url), "a.md") == "newer"


async def test_a_content_that_is_damaged_ends_the_sync_and_the_next_one_is_whole(
    remote: GitRemote, tmp_path: Path
) -> None:
    source = opened(tmp_path, remote.url)
    listed = await refs(source)
    break_packs(tmp_path / "work" / "repository.git")
    with pytest.raises(SourceUnavailable, match="damaged"):
        await source.fetch(listed["a.md"])
    assert await text_of(opened(tmp_path, remote.url), "a.md") == "# A"


async def test_many_documents_are_fetched_at_once_and_some_given_up(
    remote: GitRemote, tmp_path: Path
) -> None:
    remote.hold({f"{n}.md": f"page {n}" for n in range(200)})
    source = opened(tmp_path, remote.url)
    listed = await refs(source)
    tasks = [asyncio.create_task(source.fetch(ref)) for ref in listed.values()]
    await asyncio.sleep(0)
    for given_up in tasks[::3]:
        given_up.cancel()
    done = await asyncio.gather(*tasks, return_exceptions=True)
    for location, raw in zip(listed, done, strict=True):
        if not isinstance(raw, BaseException):
            assert raw.content.decode() == f"page {location.removesuffix('.md')}"
    assert sum(isinstance(one, BaseException) for one in done) == len(tasks[::3])


async def test_dates_are_known_as_far_as_the_kept_commits_tell(
    remote: GitRemote, tmp_path: Path
) -> None:
    remote.write({"a.md": "early", "docs/b.md": "early"})
    remote.commit(GIT_COMMITTER_DATE=EARLY)
    remote.write({"docs/b.md": "from the future"})
    remote.commit(GIT_COMMITTER_DATE="2099-05-01T10:00:00+00:00")

    async def dates(**options: Any) -> dict[str, datetime | None]:
        source = opened(tmp_path, remote.url, **options)
        return {
            one: (await source.fetch(ref)).updated_at for one, ref in (await refs(source)).items()
        }

    assert set((await dates()).values()) == {None}
    known = await dates(depth=3)
    assert known["a.md"] == datetime(2020, 5, 1, 10, tzinfo=UTC)
    assert known["docs/b.md"] is None and known["docs/c.txt"] is None


async def test_the_rule_file_is_the_newest_one_in_the_root(
    remote: GitRemote, tmp_path: Path
) -> None:
    source = opened(tmp_path, remote.url, folder="docs")
    assert await source.rule_file() is None
    remote.write({RULE_FILE: "one", f"docs/{RULE_FILE}": "another"})
    remote.commit()
    assert await source.rule_file() == b"one"
    assert list(await refs(source)) == ["docs/b.md", "docs/c.txt"]


async def test_a_process_that_saw_an_older_commit_fetches_what_another_listed(
    remote: GitRemote, tmp_path: Path
) -> None:
    warm, other = (ruled(opened(tmp_path / one, remote.url)) for one in ("warm", "other"))
    before = {ref.location: ref async for ref in warm.list()}
    remote.write({"a.md": "newer", "e.md": "new", RULE_FILE: RULES})
    remote.commit()
    listed = {ref.location: ref async for ref in other.list()}
    for location in ("a.md", "e.md", "docs/b.md"):
        raw = await warm.fetch(listed[location])
        assert raw.ref == listed[location] != before.get(location)
        assert raw.readers == {Principal("group", "b").id} or location != "docs/b.md"


RULES = '[[rules]]\npath = "docs/b.md"\nreaders = ["group:b"]\n'


async def test_a_sync_after_a_commit_reads_what_the_commit_changed_and_nothing_else(
    tmp_path: Path, index: LanceIndex, embedder: HashingEmbedder
) -> None:
    remote = GitRemote(tmp_path / "remotes" / "large")
    first = remote.hold({f"d{n % 20}/page{n}.md": f"# Page {n}\n\nWord{n}." for n in range(500)})

    async def synced() -> SyncReport:
        source = ruled(opened(tmp_path, remote.url))
        return await sync(source, DocumentParser(), embedder, index)

    async def url_of(word: str) -> set[str]:
        vector, anybody = embedder.embed_query(word), Audience.everyone()
        found = await index.search(vector, word, anybody, 5)
        return {one.url for one in found if f"{word}." in one.chunk.text}

    assert (await synced()).added == 500
    remote.write({"d7/page7.md": "# Page 7\n\nWord7777."})
    remote.git("rm", "--quiet", "d8/page8.md")
    second = remote.commit()
    report = await synced()
    assert (report.changed, report.removed, report.unchanged, report.added) == (1, 1, 498, 0)
    assert await url_of("Word7777") == {f"https://git.example/d7/page7.md?at={second}"}
    assert await url_of("Word9") == {f"https://git.example/d9/page9.md?at={first}"}


async def test_a_repository_that_outgrows_its_budget_is_given_up(
    remote: GitRemote, tmp_path: Path, http: HttpRemote
) -> None:
    (remote.root / "film.mp4").write_bytes(os.urandom(3_000_000))
    remote.commit()
    said = await reason(opened(tmp_path, f"{http.url}/handbook", megabytes=2))
    assert "larger than 2 MB" in said and not running(http.url)
    assert not (tmp_path / "work" / "repository.git").exists()
    assert len(await refs(opened(tmp_path, remote.url, megabytes=10))) == 3


@pytest.mark.parametrize(
    "entry",
    [
        {RULE_FILE.encode(): ("120000", "blob", b"elsewhere")},
        {RULE_FILE.encode(): ("160000", "commit", b"1" * 40)},
        {RULE_FILE.encode() + b"/x": ("100644", "blob", b"x")},
        {RULE_FILE.encode(): ("100644", "blob", b"x" * 300_000)},
    ],
)
async def test_a_rule_file_that_is_no_plain_file_is_not_taken_for_none(
    entry: Any, remote: GitRemote, tmp_path: Path
) -> None:
    remote.commit_entries(entry)
    with pytest.raises(DocumentUnreadable, match=r"\.$"):
        await opened(tmp_path, remote.url).rule_file()


async def test_without_git_a_sentence_says_so(
    remote: GitRemote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "install git" in await reason(opened(tmp_path, remote.url))


async def test_what_the_environment_says_about_git_does_not_count(
    remote: GitRemote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "GIT_DIR": str(tmp_path / "nowhere"),
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{tmp_path}/nowhere.insteadOf",
        "GIT_CONFIG_VALUE_0": remote.url,
        "GIT_EXTERNAL_DIFF": "false",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".gitconfig").write_text('[url "file:///nowhere"]\n\tinsteadOf = file://\n')
    assert await text_of(opened(tmp_path, remote.url), "a.md") == "# A"
