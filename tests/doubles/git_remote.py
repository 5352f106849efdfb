"""A real Git repository that a test writes to, served as a folder or over real HTTP."""

import asyncio
import base64
import os
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

ENVIRONMENT = {
    "PATH": os.environ.get("PATH", os.defpath),
    "HOME": os.devnull,
    "LC_ALL": "C",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.org",
}


class GitRemote:
    """A repository in ``root`` with the branch ``main``, empty at first."""

    def __init__(self, root: Path, *, hashed: str = "sha1") -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)
        self.git("init", "--quiet", "--initial-branch=main", f"--object-format={hashed}")

    @property
    def url(self) -> str:
        return f"file://{self.root}"

    def git(self, *arguments: str, fed: bytes = b"", **environment: str) -> str:
        """Run git in the repository and return what it says."""
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.root,
            env={**ENVIRONMENT, **environment},
            input=fed,
            capture_output=True,
            check=True,
        )
        return done.stdout.decode("utf-8", "surrogateescape").strip()

    def commit(self, message: str = "change", **environment: str) -> str:
        """Commit whatever lies in the work tree and return the id of the commit."""
        self.git("add", "--all", "--force")
        self.git("commit", "--quiet", "--allow-empty", "-m", message, **environment)
        return self.git("rev-parse", "HEAD")

    def hold(self, files: Mapping[str, str]) -> str:
        """Commit that the repository holds these files and no others."""
        for old in self.git("ls-files", "-z").split("\0"):
            (self.root / old).unlink() if old else None
        self.write(files)
        return self.commit()

    def write(self, files: Mapping[str, str]) -> None:
        """Write files into the work tree."""
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")

    def commit_entries(self, entries: Mapping[bytes, tuple[str, str, bytes]]) -> str:
        """Commit a tree of exactly these entries: path -> mode, type, content or id.

        Paths may be what no work tree can hold.
        """
        lines = []
        for path, (mode, kind, content) in entries.items():
            name = content.decode()
            if kind == "blob":
                name = self.git("hash-object", "-w", "--stdin", fed=content)
            lines.append(f"{mode} {name}\t".encode() + path)
        self.git("read-tree", "--empty")
        self.git("update-index", "-z", "--add", "--index-info", fed=b"\0".join([*lines, b""]))
        tree = self.git("write-tree")
        commit = self.git("commit-tree", tree, "-m", "entries")
        self.git("update-ref", "refs/heads/main", commit)
        return commit


class HttpRemote:
    """Serves repositories below ``root`` by git's own CGI program.

    ``sent`` counts the bytes of answers. With ``token`` a request needs it as a password;
    ``authorizations`` keeps what was sent. A path of ``redirects`` leads elsewhere.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.url = ""
        self.sent = 0
        self.token = ""
        self.authorizations: list[str] = []
        self.redirects: dict[str, str] = {}
        self.hangs = False

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.authorizations.append(request.headers.get("Authorization", ""))
        if self.hangs:
            await asyncio.sleep(60)
        first = request.path.strip("/").split("/")[0]
        if first in self.redirects:
            return web.Response(status=302, headers={"Location": self.redirects[first]})
        if self.token:
            expected = base64.b64encode(f"x-access-token:{self.token}".encode()).decode()
            if self.authorizations[-1] != f"Basic {expected}":
                return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="git"'})
        head, body = await self._cgi(request, await request.read())
        headers = dict(line.split(": ", 1) for line in head.decode().splitlines())
        status = int(headers.pop("Status", "200").split(" ")[0])
        self.sent += len(body)
        return web.Response(status=status, headers=headers, body=body)

    async def _cgi(self, request: web.Request, body: bytes) -> tuple[bytes, bytes]:
        process = await asyncio.create_subprocess_exec(
            *("git", "http-backend"),
            env={
                **ENVIRONMENT,
                "GIT_PROJECT_ROOT": str(self.root),
                "GIT_HTTP_EXPORT_ALL": "1",
                "PATH_INFO": request.path,
                "QUERY_STRING": request.query_string,
                "REQUEST_METHOD": request.method,
                "CONTENT_TYPE": request.headers.get("Content-Type", ""),
                "HTTP_CONTENT_ENCODING": request.headers.get("Content-Encoding", ""),
                "GIT_PROTOCOL": request.headers.get("Git-Protocol", ""),
            },
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        answer, _ = await process.communicate(body)
        head, _, rest = answer.partition(b"\r\n\r\n")
        return head, rest


@asynccontextmanager
async def served_over_http(root: Path) -> AsyncIterator[HttpRemote]:
    """Serve the repositories below ``root`` on a free loopback port."""
    remote = HttpRemote(root)
    app = web.Application(client_max_size=1 << 26)
    app.router.add_route("*", "/{path:.*}", remote.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    remote.url = f"http://{host}:{port}"
    try:
        yield remote
    finally:
        await runner.cleanup()
