"""DOOR: the command line. `footnote --help` lists the commands."""

import argparse
import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, Literal

from bot.errors import SlackConversationError
from handlers.judging.errors import JudgingError
from handlers.runtime import eval_arguments, operating_arguments
from handlers.runtime.logs import configure
from handlers.runtime.settings import Settings, SettingsError
from handlers.work.errors import WorkError
from index.errors import KnowledgeError

FAILED = 1

STOPPED = 130
"""Exit code after Ctrl-C, as shells expect."""

USAGE = 2
"""Exit code for wrong settings, as for wrong arguments."""

RUNS = {
    **operating_arguments.RUNS,
    **dict.fromkeys(("eval", eval_arguments.ADD), eval_arguments.run),
}
"""The commands that are described elsewhere."""


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--home", type=Path, help="folder for index, state and models")
    place = argparse.ArgumentParser(add_help=False)
    place.add_argument("--index", help="folder or s3:// address of the index")
    docs = argparse.ArgumentParser(add_help=False)
    docs.add_argument("--docs", type=Path, help="folder of documents")
    json_flag = argparse.ArgumentParser(add_help=False)
    json_flag.add_argument(
        "--json", action="store_true", help="print one JSON object on stdout, nothing else"
    )

    top = argparse.ArgumentParser(
        prog="footnote",
        description="A Slack bot that answers from your own documents, with footnotes.",
        epilog="Settings come from the environment and from .env: see README.md.",
    )
    commands_ = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    demo = commands_.add_parser(
        "demo", parents=[shared, docs], help="a local Slack in the browser, with a sample handbook"
    )
    demo.add_argument("--port", type=int, help="port of the page (default: 8080 if it is free)")
    serve = commands_.add_parser(
        "serve", parents=[shared, docs, place], help="answer a real Slack workspace"
    )
    serve.add_argument("--port", type=int, help="port for Slack's events (default: 3000)")
    sync = commands_.add_parser(
        "sync", parents=[shared, docs, place, json_flag], help="bring the index in step"
    )
    sync.add_argument(
        "--confirm-deletion",
        action="store_true",
        help="remove documents even if suspiciously many have vanished",
    )
    ask = commands_.add_parser(
        "ask", parents=[shared, place, json_flag], help="answer a question in the terminal"
    )
    ask.add_argument("question", help="the question, in quotes")
    search = commands_.add_parser(
        "search", parents=[shared, place, json_flag], help="show what a question finds, and why"
    )
    search.add_argument("question", help="the question, in quotes")
    search.add_argument(
        "--explain", action="store_true", help="show all scores, and what was left out and why"
    )
    eval_arguments.add_eval(commands_, [shared, place, json_flag])
    operating_arguments.add_operating(commands_, shared, place, json_flag)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    given = sys.argv[1:] if argv is None else argv
    arguments = parser().parse_args(eval_arguments.joined(given))
    try:
        try:
            settings = _settings(arguments)
        except SettingsError as error:
            if arguments.command != "doctor":
                raise
            return asyncio.run(operating_arguments.doctor(arguments, error))
        configure(settings.log_level)
        run = RUNS.get(arguments.command, _command)
        return asyncio.run(run(arguments, settings))
    except (KeyboardInterrupt, asyncio.CancelledError):
        print("Stopped.", file=sys.stderr)
        return STOPPED
    except SettingsError as error:
        return _failed(arguments, error, USAGE)
    except (KnowledgeError, WorkError, JudgingError, SlackConversationError, OSError) as error:
        return _failed(arguments, error, FAILED)


def _settings(arguments: argparse.Namespace) -> Settings:
    given = {
        name: getattr(arguments, name)
        for name in ("home", "index", "docs", "port")
        if getattr(arguments, name, None) is not None
    }
    return Settings.load(overrides=given)


def _command(arguments: argparse.Namespace, settings: Settings) -> Coroutine[Any, Any, int]:
    # Imported here, so that --help and a wrong setting answer at once.
    from handlers.runtime import commands

    match arguments.command:
        case "demo":
            return _until_stopped(
                lambda stopped: commands.run_demo(
                    settings, stopped, docs=arguments.docs, port=arguments.port
                )
            )
        case "serve":
            return _until_stopped(lambda stopped: commands.run_serve(settings, stopped))
        case "sync":
            return commands.run_sync(
                settings, as_json=arguments.json, confirm_deletion=arguments.confirm_deletion
            )
        case "search":
            from handlers.runtime.searching import run_search

            return run_search(
                settings, arguments.question, explain=arguments.explain, as_json=arguments.json
            )
        case _:
            return commands.run_ask(settings, arguments.question, as_json=arguments.json)


class Stop(asyncio.Event):
    """Set when the program should end; ``awaited`` once somebody serves and waits for that."""

    awaited = False

    async def wait(self) -> Literal[True]:
        """Wait until it is set."""
        self.awaited = True
        return await super().wait()


async def _until_stopped(serve: Callable[[asyncio.Event], Coroutine[Any, Any, int]]) -> int:
    """Run something until Ctrl-C or SIGTERM asks it to end.

    Before it serves (a first sync may take minutes) there is nothing to end in order, so it is
    cancelled, which is safe at any point; so it is by a second signal.
    """
    stopped = Stop()
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    assert task is not None

    def stop() -> None:
        if stopped.is_set() or not stopped.awaited:
            task.cancel()
        stopped.set()

    for signum in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(signum, stop)
    return await serve(stopped)


def _failed(arguments: argparse.Namespace, error: Exception, code: int) -> int:
    if getattr(arguments, "json", False):
        print(json.dumps({"error": {"kind": type(error).__name__, "message": str(error)}}))
    print(error, file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
