from html.parser import HTMLParser
from importlib import resources

import aiohttp
import pytest

from bot.playground import Playground


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example:80"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
@pytest.mark.parametrize("path", ["", "ui/state", "api/auth.test", "page/app.js"])
async def test_no_other_site_gets_through(
    slack: Playground, headers: dict[str, str], path: str
) -> None:
    async with aiohttp.ClientSession() as session:
        response = await session.get(slack.url + path, headers=headers)
        assert response.status == 403
        assert "alice" not in (await response.text()).lower()


async def test_a_gesture_must_be_json(slack: Playground) -> None:
    body = '{"user": "alice", "channel": "general", "text": "x"}'
    async with aiohttp.ClientSession() as session:
        for kind, status in (("text/plain", 415), ("application/json", 200)):
            response = await session.post(
                slack.url + "ui/say", data=body, headers={"Content-Type": kind}
            )
            assert response.status == status
    assert len(slack.messages("general")) == 1


@pytest.mark.parametrize(
    ("gesture", "body"),
    [
        ("say", {"user": "mallory", "channel": "general", "text": "x"}),
        ("say", {"user": "bob", "channel": "people-team", "text": "x"}),
        ("say", {"user": "bob", "channel": "general", "text": "  "}),
        ("say", {"user": "bob"}),
        ("say", []),
        ("say", "x"),
        ("click", {"user": "bob", "channel": "general", "message_ts": "1", "action_id": "a"}),
        ("close-view", {"user": "bob"}),
    ],
)
async def test_an_impossible_gesture_is_answered_with_a_sentence(
    slack: Playground, gesture: str, body: object
) -> None:
    async with aiohttp.ClientSession() as session:
        response = await session.post(slack.url + "ui/" + gesture, json=body)
        assert response.status == 400
        assert " " in (await response.json())["error"]


async def test_a_person_sees_only_their_own(slack: Playground) -> None:
    await slack.say("alice", "people-team", "secret")
    await slack.say("alice", "dm", "my own")
    async with aiohttp.ClientSession() as session:
        state = await (await session.get(slack.url + "ui/state?user=bob")).text()
    assert "secret" not in state and "my own" not in state


async def test_everything_bears_a_strict_policy(slack: Playground) -> None:
    async with aiohttp.ClientSession() as session:
        for path in ("", "page/app.js", "page/app.css", "ui/state"):
            response = await session.get(slack.url + path)
            policy = response.headers["Content-Security-Policy"]
            assert response.status == 200
            assert "default-src 'none'" in policy and "unsafe" not in policy
            assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert (await session.get(slack.url + "page/__init__.py")).status == 404


class _Addresses(HTMLParser):
    found: tuple[str, ...] = ()
    inline = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.found += tuple(v for k in ("src", "href") if (v := named.get(k)))
        self.inline |= tag == "style" or any(k == "style" or k.startswith("on") for k in named)


def test_the_page_loads_nothing_from_elsewhere_and_builds_no_markup_from_data() -> None:
    folder = resources.files("bot.playground.page")
    html = folder.joinpath("index.html").read_text()
    parser = _Addresses()
    parser.feed(html)
    assert all(a.startswith(("/page/", "#")) for a in parser.found) and not parser.inline
    for file in folder.iterdir():
        if file.name.endswith((".js", ".css", ".svg")):
            text = file.read_text().replace("http://www.w3.org/2000/svg", "")
            assert "http://" not in text and "https://" not in text, file.name
            for risky in (
                "innerHTML",
                "outerHTML",
                "insertAdjacentHTML",
                "eval(",
                "document.write",
            ):
                assert risky not in text, file.name
