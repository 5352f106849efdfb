"""ministack, an AWS in one process: installed where it is missing, started, asked if it is well."""

import asyncio
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from infra.install import InstallError, install, make_venv
from infra.local_cloud.errors import LocalCloudError
from infra.local_cloud.processes import clean_environment, last_lines, running

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = Path(__file__).with_name("ministack.txt")
VENV = ROOT / "build" / "ministack"
REGION = "eu-west-1"
ACCOUNT = "123456789012"
ROOT_KEY, ROOT_SECRET = "test", "test"
"""The account's root user; the roles of the functions have credentials of their own."""

_START_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Ministack:
    """A running local AWS: its address, the folder with its data, and the file it logs to."""

    endpoint: str
    folder: Path
    log: Path
    process: asyncio.subprocess.Process

    async def ended(self) -> LocalCloudError:
        """Wait until it ends without having been asked to; return what there is to say then."""
        await self.process.wait()
        return LocalCloudError(f"{last_lines(self.log)}\n\nministack has ended by itself.")


def installed() -> Path:
    """Return ministack's Python, installing both where they are missing. Raises LocalCloudError.

    The functions run in that Python and find the packages of this environment by PYTHONPATH, so
    both must be of one version.
    """
    wanted = f"{sys.version_info.major}.{sys.version_info.minor}\n{REQUIREMENTS.read_text('utf-8')}"
    stamp = VENV / ".installed"
    python = VENV / "bin" / "python"
    if stamp.exists() and stamp.read_text("utf-8") == wanted and python.exists():
        return python
    VENV.parent.mkdir(exist_ok=True)
    try:
        make_venv(VENV)
    except InstallError as error:
        raise LocalCloudError(str(error)) from error
    said = install(VENV, "--requirement", str(REQUIREMENTS))
    if said:
        raise LocalCloudError(
            f"{said}\npip could not install ministack. See that this machine can reach the index "
            "that `pip config list` names, and run this again."
        )
    stamp.write_text(wanted, "utf-8")
    return python


def free_port(wanted: int = 0) -> int:
    """Return ``wanted``, or any free port for 0. Raises LocalCloudError when it is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError as error:
            raise LocalCloudError(
                f"Port {wanted} cannot be used ({error.strerror}). Choose another, or 0 for any."
            ) from error
        return int(probe.getsockname()[1])


@asynccontextmanager
async def started(folder: Path, port: int = 0) -> AsyncIterator[Ministack]:
    """Run ministack with IAM enforced until the block is left. Raises LocalCloudError."""
    port = free_port(port)
    python = await asyncio.to_thread(installed)
    log = folder / "ministack.log"
    environment = clean_environment(
        folder / "ministack",
        AUTH="true",
        BIND_HOST="127.0.0.1",
        GATEWAY_PORT=str(port),
        IOT_MTLS_ENABLED="0",
        MINISTACK_ACCOUNT_ID=ACCOUNT,
        MINISTACK_HOST="127.0.0.1",
        MINISTACK_REGION=REGION,
        SFTP_ENABLED="0",
    )
    command = [str(python), "-m", "ministack"]
    async with running(command, log=log, environment=environment, cwd=folder) as process:
        cloud = Ministack(f"http://127.0.0.1:{port}", folder, log, process)
        await _until_ready(cloud)
        yield cloud


async def _until_ready(cloud: Ministack) -> None:
    async def ask() -> None:
        while not await asyncio.to_thread(_ready, cloud.endpoint):
            if cloud.process.returncode is not None:
                raise await cloud.ended()
            await asyncio.sleep(0.1)

    try:
        await asyncio.wait_for(ask(), _START_SECONDS)
    except TimeoutError:
        raise LocalCloudError(
            f"{last_lines(cloud.log)}\n\nministack did not start within {_START_SECONDS:.0f} s."
        ) from None


def _ready(endpoint: str) -> bool:
    try:
        with urllib.request.urlopen(f"{endpoint}/_ministack/ready", timeout=2) as response:  # noqa: S310
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False
