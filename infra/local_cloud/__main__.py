"""`make local-cloud`: the real stack in a local AWS, with a local Slack to talk to it."""

import argparse
import asyncio
import json
import shutil
import signal
import sys
import tempfile
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any

from infra.local_cloud import cloud
from infra.local_cloud.errors import LocalCloudError

FAILED = 1
STOPPED = 130
"""Exit status after Ctrl-C before all was up, as shells expect."""

PAGE_PORT = 8090
_ANSWER_SECONDS = 60.0


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    top = argparse.ArgumentParser(
        prog="make local-cloud",
        description="Deploy serverless.yml to a local AWS and talk to it in a local Slack.",
        epilog="With make, arguments are given as ARGS='--port 9000'.",
    )
    top.add_argument(
        "--docs", type=_folder, help="folder to answer from (default: sample handbook)"
    )
    top.add_argument(
        "--port",
        type=_port,
        default=None,
        help=f"port of the page (default: {PAGE_PORT} if it is free)",
    )
    top.add_argument(
        "--aws-port", type=_port, default=0, help="port of the local AWS (default: any)"
    )
    top.add_argument("--ask", metavar="QUESTION", help="ask this, print the answer, and end")
    top.add_argument("--keep", action="store_true", help="keep logs and data when it ends")
    top.add_argument(
        "--json", action="store_true", help="print JSON objects on stdout, nothing else"
    )
    return top


def _port(text: str) -> int:
    if not (text.isdecimal() and int(text) < 65_536):
        raise argparse.ArgumentTypeError(f"{text} is no port: a number from 0 to 65535")
    return int(text)


def _folder(text: str) -> Path:
    folder = Path(text).expanduser()
    if not folder.is_dir():
        raise argparse.ArgumentTypeError(f"{text} is no folder")
    return folder


def main(argv: Sequence[str] | None = None) -> int:
    """Run the local cloud until Ctrl-C; return the exit status."""
    arguments = parser().parse_args(argv)
    folder = Path(tempfile.mkdtemp(prefix="footnote-local-cloud-"))
    try:
        return asyncio.run(_until_stopped(_serve(arguments, folder)))
    except (KeyboardInterrupt, asyncio.CancelledError):
        print("Stopped.", file=sys.stderr)
        return STOPPED
    except LocalCloudError as error:
        arguments.keep = arguments.keep or any(folder.iterdir())
        if arguments.json:
            print(json.dumps({"error": str(error)}))
        print(f"error: {error}", file=sys.stderr)
        return FAILED
    finally:
        if arguments.keep:
            print(f"Logs and data are kept in {folder}", file=sys.stderr)
        else:
            shutil.rmtree(folder, ignore_errors=True)


async def _serve(arguments: argparse.Namespace, folder: Path) -> int:
    steps = cloud.Steps(lambda line: print(line, file=sys.stderr, flush=True))
    port = arguments.port if arguments.port is not None else _preferred_port()
    async with cloud.running(
        folder, steps, docs=arguments.docs, page_port=port, aws_port=arguments.aws_port
    ) as running:
        told = {
            "page": running.slack.url,
            "events": running.stack.events_url,
            "aws": running.stack.aws.endpoint,
            "log": str(running.stack.aws.log),
            "seconds": steps.seconds,
        }
        if arguments.ask:
            print(await _asked(running, arguments, told), flush=True)
            return 0
        if arguments.json:
            print(json.dumps(told), flush=True)
        else:
            print(
                f"\nOpen {told['page']} and ask @Footnote a question. Ctrl-C ends everything.\n"
                f"The local AWS is at {told['aws']} (key and secret: test).\n"
                f"Slack's events go to {told['events']}\n"
                f"It logs to {told['log']}.",
                flush=True,
            )
        try:
            raise await running.stack.aws.ended()
        except asyncio.CancelledError:
            print("\nEnding everything ...", file=sys.stderr, flush=True)
    return 0


async def _asked(
    running: cloud.LocalCloud, arguments: argparse.Namespace, told: dict[str, Any]
) -> str:
    ts = await running.slack.say("alice", "general", f"@Footnote {arguments.ask}")
    try:
        messages = await running.slack.wait_for_answer("general", ts, _ANSWER_SECONDS)
    except TimeoutError:
        raise LocalCloudError(
            f"No answer came within {_ANSWER_SECONDS:.0f} s. See {told['log']}."
        ) from None
    answer = "\n".join(message["text"] for message in messages)
    return json.dumps({**told, "answer": answer}) if arguments.json else answer


def _preferred_port() -> int:
    from infra.local_cloud.ministack import free_port

    try:
        return free_port(PAGE_PORT)
    except LocalCloudError:
        return 0


async def _until_stopped(serve: Coroutine[Any, Any, int]) -> int:
    """Cancel what runs at Ctrl-C or SIGTERM; everything is ended on the way out, once."""
    task = asyncio.ensure_future(serve)
    loop = asyncio.get_running_loop()
    asked = False

    def stop() -> None:
        nonlocal asked
        if not asked:
            task.cancel()
        asked = True

    for signum in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signum, stop)
    return await task


if __name__ == "__main__":
    sys.exit(main())
