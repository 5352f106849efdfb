"""The installer never fetches CUDA unasked: real pip, a tiny torch, and servers of our own."""

import functools
import http.server
import os
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PIN = next(
    line.removeprefix("torch==")
    for line in (ROOT / "constraints.txt").read_text().splitlines()
    if line.startswith("torch==")
)


def write_wheel(folder: Path, version: str) -> None:
    """Write a wheel called torch that holds nothing but its name and version."""
    folder.mkdir(parents=True, exist_ok=True)
    about = f"torch-{version}.dist-info"
    with zipfile.ZipFile(folder / f"torch-{version}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(
            f"{about}/METADATA", f"Metadata-Version: 2.1\nName: torch\nVersion: {version}\n"
        )
        wheel.writestr(
            f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{about}/RECORD", "")


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves a folder and says nothing."""

    def log_message(self, format: str, *args: object) -> None:
        return


@pytest.fixture
def index(tmp_path: Path) -> Iterator[str]:
    """A package index that has what the tests write into tmp_path / "index" / NAME / "torch"."""
    folder = tmp_path / "index"
    folder.mkdir()
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment, as the first step of the installer makes it."""
    venv = tmp_path_factory.mktemp("installed") / "venv"
    code = "import infra.install, pathlib, sys; infra.install.make_venv(pathlib.Path(sys.argv[1]))"
    subprocess.run([sys.executable, "-c", code, str(venv)], check=True, cwd=ROOT, timeout=90)
    return venv / "bin" / "python"


def install_torch(python: Path, build: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the torch step of the installer with pip's surroundings as given."""
    code = (
        "import infra.install, pathlib, sys\n"
        "try: infra.install.install_torch(pathlib.Path(sys.argv[1]), sys.argv[2], 'Linux')\n"
        "except infra.install.InstallError as error: sys.exit(str(error))\n"
    )
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("PIP_", "TORCH"))}
    env = {**inherited, "PIP_CONFIG_FILE": os.devnull, "PIP_RETRIES": "0", **environment}
    venv = str(python.parent.parent)
    command = [sys.executable, "-c", code, venv, build]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60)


def version(python: Path) -> str:
    """Return the version of torch that is installed, or an empty string."""
    code = "from importlib.metadata import version; print(version('torch'))"
    return subprocess.run([python, "-c", code], capture_output=True, text=True).stdout.strip()


@pytest.fixture(autouse=True)
def no_torch_yet(python: Path) -> None:
    command = [python, "-m", "pip", "uninstall", "--quiet", "--yes", "torch"]
    subprocess.run(command, check=True, capture_output=True, timeout=60)


pytestmark = pytest.mark.timeout(240)


def test_a_local_wheel_is_taken_without_asking_the_index_for_cpu_builds(
    python: Path, index: str, tmp_path: Path
) -> None:
    write_wheel(tmp_path / "wheels", f"{PIN}+cpu")
    write_wheel(tmp_path / "index" / "pypi" / "torch", PIN)
    done = install_torch(
        python,
        "",
        PIP_INDEX_URL=f"{index}/pypi",
        PIP_FIND_LINKS=str(tmp_path / "wheels"),
        TORCH_INDEX="http://127.0.0.1:1/nobody-answers",
    )
    assert done.returncode == 0, done.stderr
    assert version(python) == f"{PIN}+cpu"


def test_the_index_for_cpu_builds_is_asked_when_pip_knows_none(
    python: Path, index: str, tmp_path: Path
) -> None:
    write_wheel(tmp_path / "index" / "pypi" / "torch", PIN)
    write_wheel(tmp_path / "index" / "cpu" / "torch", f"{PIN}+cpu")
    done = install_torch(python, "", PIP_INDEX_URL=f"{index}/pypi", TORCH_INDEX=f"{index}/cpu")
    assert done.returncode == 0, done.stderr
    assert version(python) == f"{PIN}+cpu"


@pytest.mark.parametrize("torch_index", ["", "/nothing-there"])
def test_where_there_is_no_cpu_build_nothing_is_installed_and_a_sentence_says_what_to_do(
    python: Path, index: str, tmp_path: Path, torch_index: str
) -> None:
    write_wheel(tmp_path / "index" / "pypi" / "torch", PIN)
    done = install_torch(
        python,
        "cpu",
        PIP_INDEX_URL=f"{index}/pypi",
        TORCH_INDEX=torch_index and index + torch_index,
    )
    assert done.returncode == 1
    assert "make setup TORCH=cuda" in done.stderr
    assert version(python) == ""


def test_cuda_is_installed_when_it_is_asked_for_and_then_kept(
    python: Path, index: str, tmp_path: Path
) -> None:
    write_wheel(tmp_path / "index" / "pypi" / "torch", PIN)
    write_wheel(tmp_path / "wheels", f"{PIN}+cpu")
    around = {"PIP_INDEX_URL": f"{index}/pypi", "PIP_FIND_LINKS": str(tmp_path / "wheels")}
    assert install_torch(python, "cuda", **around).returncode == 0
    assert version(python) == PIN
    assert install_torch(python, "", **around).returncode == 0
    assert version(python) == PIN
    assert install_torch(python, "cpu", **around).returncode == 0
    assert version(python) == f"{PIN}+cpu"
