"""index.fetching: whatever an address says, nothing but the public web is asked."""

import asyncio
import gzip
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from index.errors import AnswerTooLarge, FetchFailed, FetchRefused
from index.fetching import Answer, Fetcher, Patience
from index.gate import system_addresses
from tests.doubles.website import Page, Website, certified, dialled, resolving

QUICK = Patience(whole=3.0, connection=1.0, silence=1.0)

BAD_HOSTS = [
    # Plain IPv4: this host, private, carrier, link-local, metadata, tests, multicast, broadcast.
    *("0.0.0.0", "127.0.0.1", "127.255.255.254", "10.0.0.1", "172.16.0.1", "172.31.255.255"),
    *("192.168.1.1", "100.64.0.1", "169.254.169.254", "192.0.0.192", "192.0.2.1", "198.18.0.1"),
    *("198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.250", "240.0.0.1"),
    *("255.255.255.255", "192.88.99.1", "168.63.129.16"),
    # The same in odd numerals, scripts and escapes.
    *("0x7f.1", "0x7f000001", "2130706433", "0177.0.0.1", "127.1", "127.0.1", "017700000001"),
    *("127.0.0.1.", "①②⑦.⓪.⓪.①", "127。0。0。1", "%31%32%37.0.0.1", "0"),
    # IPv6: loopback, unspecified, link-local, site-local, unique local, multicast, discard.
    *("[::1]", "[::]", "[fe80::1]", "[fe80::1%25lo]", "[fec0::1]", "[fc00::1]", "[fd00:ec2::254]"),
    *("[ff02::1]", "[100::1]", "[2001:db8::1]", "[3fff::1]", "[5f00::1]"),
    # IPv4 inside IPv6: mapped, compatible, translated, NAT64, 6to4, Teredo, ISATAP.
    *("[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[::ffff:0:127.0.0.1]"),
    *("[64:ff9b::127.0.0.1]", "[64:ff9b::a00:1]", "[64:ff9b:1::7f00:1]", "[2002:7f00:1::]"),
    *("[2002:a9fe:a9fe::1]", "[2001:0:7f00:1::]", "[2001:4860::5efe:7f00:1]"),
    *("[2001:4860::200:5efe:a9fe:a9fe]", "[2001:20::1]"),
    # Names of this machine.
    *("localhost", "localhost.", "LOCALHOST"),
]
BAD_ANSWERS = [
    *("127.0.0.1", "10.1.2.3", "169.254.169.254", "0.0.0.0", "100.100.100.200", "::1", "fe80::1"),
    *("::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "fd00:ec2::254", "fe80::1%lo"),
    "::ffff:8.8.8.8",
]
PUBLIC = "93.184.216.34"


@pytest.fixture
async def sites() -> AsyncIterator[tuple[Website, Website]]:
    """A website over HTTP and one over TLS that nobody should ever reach."""
    server, _ = certified("127.0.0.1", "localhost")
    async with (
        Website(fallback=Page("secret")) as plain,
        Website(fallback=Page("secret"), authority=server) as secure,
    ):
        yield plain, secure


@asynccontextmanager
async def fetcher(
    *private: str,
    answers: dict[str, list[Sequence[str]]] | None = None,
    trust: ssl.SSLContext | None = None,
    patience: Patience = QUICK,
) -> AsyncIterator[Fetcher]:
    resolve = system_addresses if answers is None else resolving(answers)
    async with Fetcher(
        "Footnote/test", private=private, resolve=resolve, trust=trust, patience=patience
    ) as made:
        yield made


async def get(fetcher: Fetcher, url: str, *, redirects: int = 3) -> Answer:
    return await fetcher.get(url, largest=100_000, redirects=redirects)


def test_there_are_more_bad_hosts_than_the_forty_that_count() -> None:
    assert len(set(BAD_HOSTS)) == len(BAD_HOSTS) >= 40


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_no_bad_address_is_ever_dialled(scheme: str, sites: tuple[Website, Website]) -> None:
    async with fetcher() as one:
        with dialled() as addresses:
            for host in BAD_HOSTS:
                for port in ("", ":80", ":443", f":{sites[0].port}", f":{sites[1].port}"):
                    with pytest.raises(FetchFailed):
                        await get(one, f"{scheme}://{host}{port}/")
    assert addresses == []
    assert sites[0].accepted == sites[1].accepted == 0


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_name_with_one_bad_answer_is_refused_whole(scheme: str) -> None:
    for bad in BAD_ANSWERS:
        for answer in ([bad], [PUBLIC, bad], [bad, PUBLIC]):
            async with fetcher(answers={"evil.test": [answer]}) as one:
                with dialled() as addresses, pytest.raises(FetchRefused, match="not public"):
                    await get(one, f"{scheme}://evil.test/")
            assert addresses == []


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_name_that_is_bound_anew_is_asked_where_it_was_checked(scheme: str) -> None:
    answers: dict[str, list[Sequence[str]]] = {"evil.test": [[PUBLIC], ["127.0.0.1"]]}
    async with fetcher(answers=answers) as one:
        with dialled() as addresses:
            with pytest.raises(FetchFailed, match="cannot be connected to"):
                await get(one, f"{scheme}://evil.test/")
            assert addresses == [PUBLIC]
            for _ in range(3):
                with pytest.raises(FetchRefused):
                    await get(one, f"{scheme}://evil.test/")
    assert addresses == [PUBLIC]


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("hop", [1, 2, 3])
async def test_no_redirect_leads_to_a_bad_address(scheme: str, hop: int) -> None:
    server, client = certified("site.test")
    async with (
        Website(authority=server if scheme == "https" else None) as site,
        Website(fallback=Page("secret")) as secret,
    ):
        answers: dict[str, list[Sequence[str]]] = {
            "site.test": [["127.0.0.1"]],
            "evil.test": [["127.0.0.1"]],
            "localhost": [["::1", "127.0.0.1"]],
        }
        here = f"{scheme}://site.test:{site.port}"
        bad = [
            *(f"{to}://{host}/" for to in ("http", "https") for host in BAD_HOSTS),
            *(f"http://{host}:{secret.port}/" for host in BAD_HOSTS),
            *(
                "http://evil.test/",
                f"http://evil.test:{secret.port}/",
                f"//evil.test:{secret.port}/",
            ),
            *(f"http://a:b@site.test:{site.port}/", "http://8.8.8.8:22/", "file:///etc/passwd"),
            *("gopher://8.8.8.8/", "ftp://8.8.8.8/", "http://[::1", "http://a..b/"),
        ]
        async with fetcher(f"site.test:{site.port}", answers=answers, trust=client) as one:
            for target in bad:
                for step in range(1, hop + 1):
                    place = target if step == hop else f"{here}/{step + 1}"
                    site.pages[f"/{step}"] = Page(status=302, headers={"Location": place})
                with dialled() as addresses, pytest.raises(FetchRefused):
                    await get(one, f"{here}/1")
                assert set(addresses) <= {"127.0.0.1"} and len(addresses) <= 1, target
        assert secret.accepted == 0
        assert {asked.path for asked in site.asked} == {f"/{step}" for step in range(1, hop + 1)}


async def test_what_is_public_is_dialled() -> None:
    async with fetcher(answers={"site.test": [["2606:4700:4700::1111", PUBLIC]]}) as one:
        with dialled() as addresses:
            for host in ("8.8.8.8", "[2606:4700:4700::1001]", "site.test", "172.32.0.1"):
                with pytest.raises(FetchFailed, match="cannot be connected to"):
                    await get(one, f"https://{host}/")
    expected = ("8.8.8.8", "2606:4700:4700::1001", "2606:4700:4700::1111", PUBLIC, "172.32.0.1")
    assert addresses == list(expected)


async def test_only_the_ports_of_the_web_are_asked() -> None:
    async with fetcher(answers={"site.test": [[PUBLIC]]}) as one:
        with dialled() as addresses:
            for port in (21, 22, 25, 6379, 8080, 65535):
                with pytest.raises(FetchRefused, match="80 or 443"):
                    await get(one, f"http://site.test:{port}/")
    assert addresses == []


async def test_credentials_in_an_address_are_refused_and_not_repeated() -> None:
    async with fetcher(answers={}) as one:
        for url in (
            "https://user:hunter2@site.test/",
            "ftp://u:hunter2@x/",
            "http://u:hunter2@[x/",
        ):
            with pytest.raises(FetchRefused) as caught:
                await get(one, url)
            assert "hunter2" not in str(caught.value)


async def test_a_private_host_is_opened_by_name_and_port_and_nothing_else_is() -> None:
    answers: dict[str, list[Sequence[str]]] = {
        "wiki.test": [["127.0.0.1"]],
        "other.test": [["127.0.0.1"]],
        "cloud.test": [["169.254.169.254"]],
    }
    async with Website({"/": Page("wiki")}) as site, Website(fallback=Page("secret")) as secret:
        names = (f"wiki.test:{site.port}", f"cloud.test:{site.port}")
        async with fetcher(*names, answers=answers) as one:
            assert (await get(one, f"http://wiki.test:{site.port}/")).body == b"wiki"
            for url in (
                f"http://other.test:{site.port}/",
                f"http://wiki.test:{secret.port}/",
                "http://wiki.test/",
                f"http://127.0.0.1:{site.port}/",
                f"http://cloud.test:{site.port}/",
            ):
                with pytest.raises(FetchRefused):
                    await get(one, url)
        assert secret.accepted == 0


async def test_tls_checks_the_real_name_not_the_address() -> None:
    server, client = certified("good.test")
    answers: dict[str, list[Sequence[str]]] = {
        "good.test": [["127.0.0.1"]],
        "evil.test": [["127.0.0.1"]],
    }
    names: list[str | None] = []
    server.sni_callback = lambda _socket, name, _context: names.append(name)
    async with Website({"/": Page("fine")}, authority=server) as site:
        private = (f"good.test:{site.port}", f"evil.test:{site.port}")
        async with fetcher(*private, answers=answers, trust=client) as one:
            assert (await get(one, f"https://good.test:{site.port}/")).body == b"fine"
            with pytest.raises(FetchFailed, match="certificate"):
                await get(one, f"https://evil.test:{site.port}/")
        async with fetcher(*private, answers=answers) as one:
            with pytest.raises(FetchFailed, match="certificate"):
                await get(one, f"https://good.test:{site.port}/")
    assert names == ["good.test", "evil.test", "good.test"]
    assert [asked.path for asked in site.asked] == ["/"]


async def test_proxies_of_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Website(fallback=Page("proxy")) as proxy, Website({"/": Page("site")}) as site:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url())
        async with fetcher(site.host) as one:
            assert (await get(one, site.url())).body == b"site"
    assert proxy.accepted == 0


async def test_no_cookie_is_sent_back() -> None:
    page = Page("x", headers={"Set-Cookie": "a=b"})
    async with Website({"/": page}) as site, fetcher(site.host) as one:
        await get(one, site.url())
        await get(one, site.url())
    assert not any("Cookie" in asked.headers for asked in site.asked)


async def test_a_redirect_is_followed_as_far_as_was_said_and_where_it_is_admitted() -> None:
    async with Website({"/end": Page("end")}) as site:
        site.pages["/2"] = Page(status=301, headers={"Location": "/end#part"})
        site.pages["/1"] = Page(status=302, headers={"Location": "2"})
        site.pages["/loop"] = Page(status=302, headers={"Location": "/loop"})
        async with fetcher(site.host) as one:
            answer = await get(one, site.url("/1"), redirects=2)
            assert (answer.body, answer.url) == (b"end", site.url("/end"))
            assert (await get(one, site.url("/1"), redirects=0)).status == 302
            with pytest.raises(FetchFailed, match="more than 1 times"):
                await get(one, site.url("/1"), redirects=1)
            with pytest.raises(FetchFailed, match="more than 5 times"):
                await get(one, site.url("/loop"), redirects=5)
            with pytest.raises(FetchRefused, match="not admitted"):
                await one.get(
                    site.url("/1"), largest=9, redirects=3, admits=lambda url: "end" not in url
                )


async def test_a_body_is_read_only_as_far_as_was_said() -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)
    packed = {"Content-Encoding": "gzip"}
    async with Website() as site:
        site.pages["/large"] = Page(b"x" * 100_001)
        site.pages["/fits"] = Page(b"x" * 100_000)
        site.pages["/bomb"] = Page(bomb, headers=packed)
        site.pages["/packed"] = Page(gzip.compress(b"ab") + gzip.compress(b"c"), headers=packed)
        site.pages["/broken"] = Page(gzip.compress(b"ab")[:-6], headers=packed)
        site.pages["/noise"] = Page(b"no gzip", headers=packed)
        site.pages["/brotli"] = Page(b"x", headers={"Content-Encoding": "br"})
        async with fetcher(site.host) as one:
            assert len((await get(one, site.url("/fits"))).body) == 100_000
            assert (await get(one, site.url("/packed"))).body == b"abc"
            for path in ("/large", "/bomb"):
                with pytest.raises(AnswerTooLarge, match="100,000 bytes") as caught:
                    await get(one, site.url(path))
                assert caught.value.received <= 100_000 + 65_536
            for path in ("/broken", "/noise", "/brotli"):
                with pytest.raises(FetchFailed, match=r"gzip data|packed"):
                    await get(one, site.url(path))


async def trickle(request: web.Request) -> web.StreamResponse:
    """One byte every tenth of a second, for ever."""
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b"x")
        await asyncio.sleep(0.1)


async def flood(request: web.Request) -> web.StreamResponse:
    """As much as the line takes, for ever."""
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b"x" * 65_536)


async def hang(request: web.Request) -> web.StreamResponse:
    await asyncio.sleep(3_600)
    return web.Response()


async def test_slow_silent_and_endless_answers_end() -> None:
    patience = Patience(whole=0.6, connection=0.5, silence=0.3)
    pages = {"/slow": trickle, "/silent": hang, "/endless": flood}
    async with Website(pages) as site, fetcher(site.host, patience=patience) as one:
        began = asyncio.get_running_loop().time()
        for path in ("/slow", "/silent"):
            with pytest.raises(FetchFailed, match="did not answer within"):
                await get(one, site.url(path))
        with pytest.raises(AnswerTooLarge):
            await get(one, site.url("/endless"))
        assert asyncio.get_running_loop().time() - began < 3


async def test_a_body_that_is_not_wanted_is_not_read() -> None:
    async with Website({"/": flood}) as site, fetcher(site.host) as one:
        answer = await one.get(site.url(), largest=10, wanted=lambda headers: False)
        assert (answer.status, answer.body) == (200, b"")


@pytest.mark.parametrize(
    "said",
    [b"", b"\0\0\0\0\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", b"SSH-2.0-x\r\n"],
)
async def test_what_speaks_no_http_is_a_failure_with_a_sentence(said: bytes) -> None:
    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        host = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with fetcher(host) as one:
            with pytest.raises(FetchFailed, match=rf"http://{host}/ .*\.$"):
                await get(one, f"http://{host}/")


async def test_a_host_that_is_not_there_is_a_failure_with_a_sentence() -> None:
    async with fetcher(answers={"empty.test": [[]]}) as one:
        for host in ("nowhere.test", "empty.test"):
            with pytest.raises(FetchFailed, match="cannot be found"):
                await get(one, f"https://{host}/")


def test_a_private_host_that_is_none_is_refused() -> None:
    for entry in ("", "a b", "http://x", "127.1", "[::1"):
        with pytest.raises(ValueError):
            Fetcher("Footnote", private=[entry])
