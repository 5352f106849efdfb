"""The rules of the house, each a function from a tree to the sentences that say where it is broken.

Every import counts, wherever it stands: inside a function, for type checking only, or by name
through importlib. A rule takes the root of a tree, so that a test can show it a broken one.
"""

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PACKAGES = ("bot", "handlers", "index")
LINE_CEILING = 300
DOOR_CEILING = 60
ROOMS = {"runtime": 1, "adapters": 2, "judging": 3, "answering": 4, "tools": 4, "work": 5}
FORBIDDEN_WORDS = {"utils", "util", "common", "base", "helpers", "helper", "models", "manager"}

PURE = (
    *(
        f"index/{name}.py"
        for name in ("documents", "audience", "chunking", "ranking", "evaluation", "query_filters")
    ),
    *(
        f"index/{name}.py"
        for name in ("within", "near_duplicates", "context", "explaining", "portions")
    ),
    *(f"bot/{name}.py" for name in ("conversation", "mentions", "listings", "blocks", "home")),
    *(f"bot/{name}.py" for name in ("proposals", "visible", "shown_json", "plan_blocks")),
    *(f"bot/approval_{name}.py" for name in ("cards", "messages", "parts", "values", "views")),
)
IMPURE_MODULES = {
    *("asyncio", "threading", "multiprocessing", "concurrent", "subprocess", "signal", "sched"),
    *("time", "random", "secrets", "uuid", "logging", "warnings", "os", "sys", "io", "pathlib"),
    *("shutil", "tempfile", "glob", "socket", "ssl", "http", "sqlite3", "aiohttp", "requests"),
    *("boto3", "botocore", "openai", "lancedb", "pyarrow", "slack_sdk", "slack_bolt", "torch"),
    *("onnxruntime", "sentence_transformers", "rich", "urllib.request"),
}
IMPURE_CALLS = {"open", "print", "input", "exec", "eval", "breakpoint"}
CLOCKS = {"now", "utcnow", "today", "fromtimestamp"}

VENDORS: dict[str, Callable[[str], bool]] = {
    "lancedb": lambda path: path == "index/lance.py",
    "openai": lambda path: path.startswith("handlers/adapters/openai_"),
    "opentelemetry": lambda path: path == "handlers/adapters/otel.py",
    "mcp": lambda path: path.startswith("handlers/adapters/mcp_"),
    "mcp_types": lambda path: path.startswith("handlers/adapters/mcp_"),
    "boto3": lambda path: path.startswith("handlers/adapters/"),
    "botocore": lambda path: path.startswith("handlers/adapters/"),
}
ENVIRONMENT_READER = "handlers/runtime/settings.py"


@dataclass(frozen=True)
class Import:
    """One imported module, or a name that may be a module, and the line that imports it.

    ``names`` are the names that are taken out of the module, if that is how it is imported.
    """

    module: str
    line: int
    names: tuple[str, ...] = ()

    @property
    def top(self) -> str:
        return self.module.partition(".")[0]


@cache
def _parse(path: Path, _changed: int) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def parse(path: Path) -> ast.Module:
    """Return the syntax tree of a file."""
    return _parse(path, path.stat().st_mtime_ns)


def files(root: Path, *folders: str) -> Iterator[tuple[str, Path]]:
    """Yield every Python file below the folders, as its path inside the tree and on the disk."""
    for folder in folders:
        for path in sorted((root / folder).rglob("*.py")):
            yield path.relative_to(root).as_posix(), path


def imports(name: str, path: Path) -> Iterator[Import]:
    """Yield what a file imports, ``from a import b`` as both ``a`` and ``a.b``."""
    package = Path(name).parent.as_posix().split("/")
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*above, *filter(None, [node.module])])
            yield Import(module, node.lineno, tuple(alias.name for alias in node.names))
            yield from (Import(f"{module}.{alias.name}", node.lineno) for alias in node.names)
        elif isinstance(node, ast.Call) and _called(node) in {"import_module", "__import__"}:
            first = node.args[0] if node.args else None
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield Import(first.value, node.lineno)


def _called(node: ast.Call) -> str:
    function = node.func
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def two_libraries(root: Path) -> list[str]:
    """bot and index have never heard of each other, nor of handlers; nobody imports tests."""
    allowed = {"bot": {"bot"}, "index": {"index"}, "handlers": set(PACKAGES)}
    return [
        f"{name}:{found.line} imports {found.module}"
        for name, path in files(root, *PACKAGES)
        for found in imports(name, path)
        if found.top in {*PACKAGES, "tests", "infra"} - allowed[name.partition("/")[0]]
    ]


def _room(parts: list[str]) -> tuple[int, str]:
    """Return rank and name of the room that ``handlers/...`` belongs to; a door has rank 0."""
    return (ROOMS.get(parts[1], -1), parts[1]) if len(parts) > 2 else (0, parts[-1])


def rightwards(root: Path) -> list[str]:
    """Inside handlers: doors -> runtime -> adapters -> judging -> answering, tools -> work."""
    broken = []
    for name, path in files(root, "handlers"):
        rank, room = _room(name.removesuffix(".py").split("/"))
        if rank < 0:
            broken.append(f"{name} is in a room that the design does not have")
            continue
        for found in imports(name, path):
            target = _module_file(root, found.module)
            if found.top != "handlers" or target is None or target.endswith("__init__.py"):
                continue
            to_rank, to_room = _room(target.removesuffix(".py").split("/"))
            if to_rank < rank or (rank == to_rank == 0 and room != to_room):
                broken.append(f"{name}:{found.line} imports {found.module}, which is to its left")
    return broken


def vendors_in_their_place(root: Path) -> list[str]:
    """Each vendor has one door into the house."""
    return [
        f"{name}:{found.line} imports {found.module}"
        for name, path in files(root, *PACKAGES)
        for found in imports(name, path)
        if found.top in VENDORS and not VENDORS[found.top](name)
    ]


def environment_read_once(root: Path) -> list[str]:
    """Only the settings read the environment."""
    wanted = {"environ", "environb", "getenv", "getenvb", "putenv", "unsetenv"}
    return [
        f"{name}:{node.lineno} reads or changes the environment"
        for name, path in files(root, *PACKAGES)
        if name != ENVIRONMENT_READER
        for node in ast.walk(parse(path))
        if (isinstance(node, ast.Attribute) and node.attr in wanted)
        or (isinstance(node, ast.ImportFrom) and wanted & {a.name for a in node.names})
    ]


def pure_modules(root: Path) -> list[str]:
    """Pure modules, and all of ours that they import, hold no async, clock, chance or I/O."""
    broken = [
        f"{name} is listed as pure and is not there" for name in PURE if not (root / name).exists()
    ]
    graph = _graph(root)
    pending = [(name, name) for name in PURE if (root / name).exists()]
    seen: set[str] = set()
    while pending:
        name, origin = pending.pop()
        if name not in seen:
            seen.add(name)
            pending.extend((target, origin) for target in graph[name])
            tail = "" if name == origin else f", and {origin} rests on it"
            broken += [f"{name}:{line} {why}{tail}" for line, why in _impurities(name, root / name)]
    return sorted(broken)


def _impurities(name: str, path: Path) -> Iterator[tuple[int, str]]:
    for found in imports(name, path):
        if found.module in IMPURE_MODULES or found.top in IMPURE_MODULES:
            yield found.line, f"imports {found.module}"
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.AsyncFunctionDef | ast.AsyncFor | ast.AsyncWith | ast.Await):
            if not _declares_only(node):
                yield node.lineno, "is asynchronous"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id in IMPURE_CALLS:
                yield node.lineno, f"calls {node.func.id}()"
        elif isinstance(node, ast.Attribute) and node.attr in CLOCKS:
            owner = ast.unparse(node.value)
            if owner in {"datetime", "date", "datetime.datetime", "datetime.date"}:
                yield node.lineno, f"reads the clock or its time zone: {owner}.{node.attr}"


def _declares_only(node: ast.AST) -> bool:
    """Tell whether a function has no body, as the methods of a port."""
    body = node.body if isinstance(node, ast.AsyncFunctionDef) else [node]
    return all(isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant) for s in body)


def _module_file(root: Path, module: str) -> str | None:
    """Return the file of a module inside the tree, or None if it is not a module of ours."""
    place = module.replace(".", "/")
    for name in (f"{place}.py", f"{place}/__init__.py"):
        if (root / name).is_file():
            return name
    return None


def _graph(root: Path) -> dict[str, set[str]]:
    """Return which of our files imports which.

    ``from package import module`` reaches the module; the package itself counts only when something
    else is taken from it.
    """
    graph: dict[str, set[str]] = {}
    for name, path in files(root, *PACKAGES):
        targets = graph[name] = set()
        for found in imports(name, path):
            modules = [_module_file(root, f"{found.module}.{taken}") for taken in found.names]
            target = _module_file(root, found.module)
            if found.top in PACKAGES and target and not (modules and all(modules)):
                targets.add(target)
        targets.discard(name)
    return graph


def cycles(root: Path) -> list[str]:
    """No module imports itself by a detour, however late the import happens."""
    graph = _graph(root)
    found: dict[frozenset[str], str] = {}
    done: set[str] = set()

    def walk(name: str, trail: list[str]) -> None:
        if name in trail:
            loop = trail[trail.index(name) :]
            found.setdefault(frozenset(loop), " -> ".join([*loop, name]))
        elif name not in done:
            for target in sorted(graph[name]):
                walk(target, [*trail, name])
            done.add(name)

    for name in graph:
        walk(name, [])
    return sorted(found.values())


def plain_names(root: Path) -> list[str]:
    """A name that fits everything describes nothing."""
    broken = []
    for name, path in files(root, *PACKAGES, "tests"):
        words = set(re.split(r"[/_.]", name.removesuffix(".py")))
        broken += [f"{name} is called {word}" for word in sorted(words & FORBIDDEN_WORDS)]
        for node in ast.walk(parse(path)):
            if isinstance(node, ast.ClassDef):
                parts = {part.lower() for part in re.findall(r"[A-Z][a-z]*", node.name)}
                if parts & FORBIDDEN_WORDS:
                    broken.append(f"{name}:{node.lineno} class {node.name}")
    return broken


def short_files(root: Path) -> list[str]:
    """One responsibility a file shows in its length; a door only translates and calls."""
    broken = []
    for name, path in files(root, *PACKAGES):
        lines = len(path.read_text(encoding="utf-8").splitlines())
        door = name.count("/") == 1 and name.startswith("handlers/")
        ceiling = DOOR_CEILING if door and name != "handlers/__main__.py" else LINE_CEILING
        if lines > ceiling:
            broken.append(f"{name} has {lines} lines, {ceiling} are allowed")
    return broken


def doors(root: Path) -> set[str]:
    """Return the names of the ways in."""
    return {path.stem for path in (root / "handlers").glob("*.py") if path.stem not in {"__init__"}}


def real_parts(root: Path) -> list[str]:
    """Tests use real parts: nothing is mocked, patched, skipped or expected to fail."""
    forbidden = {"skip", "skipif", "xfail", "importorskip"}
    mocks = {"Mock", "MagicMock", "AsyncMock", "create_autospec", "mocker"}
    broken = []
    for name, path in files(root, "tests"):
        for found in imports(name, path):
            if found.module.startswith(("unittest.mock", "mock", "pytest_mock")):
                broken.append(f"{name}:{found.line} imports {found.module}")
        for node in ast.walk(parse(path)):
            used = ast.unparse(node) if isinstance(node, ast.Attribute | ast.Name) else ""
            owner, _, last = used.rpartition(".")
            if (
                last in mocks
                or used in {"monkeypatch.setattr", "monkeypatch.setitem", "monkeypatch.delattr"}
                or (last in forbidden and owner in {"pytest", "pytest.mark"})
            ):
                broken.append(f"{name}:{node.lineno} uses {used}")
    return broken


def finished(root: Path) -> list[str]:
    """Nothing is left for later, and no error is swallowed unseen."""
    broken = []
    for name, path in files(root, *PACKAGES):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if re.search(r"#.*\b(TODO|FIXME|XXX|HACK)\b", line):
                broken.append(f"{name}:{number} leaves something for later")
        for node in ast.walk(parse(path)):
            if isinstance(node, ast.Raise) and "NotImplementedError" in ast.unparse(node):
                broken.append(f"{name}:{node.lineno} is not implemented")
            elif isinstance(node, ast.ExceptHandler) and _swallows(node):
                broken.append(f"{name}:{node.lineno} swallows every error")
    return broken


def _swallows(node: ast.ExceptHandler) -> bool:
    everything = node.type is None or ast.unparse(node.type) in {"Exception", "BaseException"}
    return everything and all(isinstance(step, ast.Pass | ast.Continue) for step in node.body)
