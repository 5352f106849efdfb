"""What people open by line (source code, JSON, YAML, plain text): the line of a chunk is exact."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.chunking import chunk
from index.documents import Document, DocumentRef, Opens, RawDocument
from index.errors import DocumentUnreadable
from index.formats import MEDIA_TYPES
from index.formats.json_shape import DEEPEST
from index.parsing import DocumentParser
from tests.index.formats.conftest import Read


def headings(document: Document) -> list[tuple[str, int]]:
    return [(h.text, h.level) for h in document.headings]


PYTHON = '''"""A module."""

import os


# Reads things.
@dataclass
class Reader(Base):
    """Reads."""

    path: str

    async def read(self, size: int = 5) -> bytes:
        if size:
            return b""

    def close(self):
        pass


def main() -> None:
    print("class of its own")
'''
OTHERS = {
    ".js": (
        "/** Adds. */\nexport default async function add(a, b) {\n  return a\n}\n"
        "const twice = (x) => 2 * x\nclass Cart extends Base {\n  total(now) {\n"
        "    if (now) {\n    }\n  }\n}\n",
        [("add", 1), ("twice", 1), ("Cart", 1), ("total", 2)],
    ),
    ".go": (
        "package main\n\n// Serve serves.\nfunc (s *Server) Serve(l net.Listener) error {\n}\n"
        "type Server struct {\n}\n",
        [("main", 1), ("Serve", 1), ("Server", 1)],
    ),
    ".rs": (
        "/// A point.\npub struct Point<T> {\n}\n"
        "impl<T> Point<T> {\n    pub async fn new() {\n    }\n}\n",
        [("Point", 1), ("Point", 1), ("new", 2)],
    ),
    ".java": (
        "@Entity\npublic final class User {\n    private static int count(List<User> all) {\n"
        "        for (User u : all) {\n        }\n    }\n}\n",
        [("User", 1), ("count", 2)],
    ),
    ".c": (
        "#include <a.h>\nstatic int add(int a, int b)\n{\n}\n"
        "void run(void) {\n  while (1) {\n  }\n}\n",
        [("run", 1)],
    ),
    ".sql": (
        "-- People.\nCREATE TABLE IF NOT EXISTS public.people (\n  id int\n);\n"
        "create or replace function f(x int) returns int\n",
        [("public.people", 1), ("f", 1)],
    ),
    ".sh": ("deploy() {\n  echo\n}\nfunction undo {\n}\n", [("deploy", 1), ("undo", 1)]),
    ".toml": ('[tool.ruff]\nline = 1\n[[source]]\nname = "x"\n', [("tool.ruff", 1), ("source", 1)]),
    ".tf": ('resource "aws_s3_bucket" "docs" {\n}\n', [('aws_s3_bucket" "docs', 1)]),
}


def test_the_definitions_of_source_code_are_its_headings_with_their_comments(read: Read) -> None:
    document = read(PYTHON, ".py")
    assert headings(document) == [("Reader", 1), ("read", 2), ("close", 2), ("main", 1)]
    assert document.text == PYTHON.rstrip()
    [reader, *_] = document.headings
    assert document.text[reader.start :].startswith("# Reads things.\n@dataclass\nclass Reader")


@pytest.mark.parametrize("suffix", OTHERS)
def test_definitions_are_found_in_languages_that_share_their_words(read: Read, suffix: str) -> None:
    code, expected = OTHERS[suffix]
    assert headings(read(code, suffix)) == expected


def test_a_chunk_of_code_holds_the_line_that_defines_it_and_opens_there(read: Read) -> None:
    functions = "\n\n".join(
        f"def step_{n}(value):\n"
        + "\n".join(f"    value = value + {i}  # and on" for i in range(20))
        for n in range(9)
    )
    chunks = chunk(read(functions, ".py"))
    lines = functions.split("\n")
    begins = [one for one in chunks if one.text.startswith("def ")]
    assert len(begins) == 9
    for one in begins:
        assert one.text.startswith(f"def {one.heading_path[-1]}(")
    for one in chunks:
        line = lines[int(one.anchor.removeprefix("L")) - 1]
        assert line.strip().startswith(one.text.split("\n")[0].strip())


@settings(deadline=None)
@given(
    st.text(alphabet=st.sampled_from("ab{}:\"' \n\r\t\f\x07-#.é"), max_size=400),
    st.sampled_from([".py", ".yaml", ".txt", ".c", ".json"]),
)
def test_the_line_of_any_chunk_is_the_line_of_the_file(content: str, suffix: str) -> None:
    raw = RawDocument(
        DocumentRef("f", f"x{suffix}", "v"),
        content.encode(),
        MEDIA_TYPES[suffix],
        "",
        frozenset(),
        None,
    )
    try:
        document = DocumentParser().parse(raw)
    except DocumentUnreadable:
        return
    if document.opens is not Opens.LINE:
        return
    lines = content.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for one in chunk(document):
        line = lines[int(one.anchor[1:]) - 1]
        seen = "".join(c for c in line if c >= " " or c == "\t")
        assert one.text.split("\n")[0].rstrip() in seen


def test_generated_code_is_refused(read: Read) -> None:
    with pytest.raises(DocumentUnreadable, match="minified or generated"):
        read("var a=1;" * 10_000, ".js")


def test_json_is_left_as_it_is_with_its_outer_keys_as_headings(read: Read) -> None:
    text = '{\n  "name": "x:y",\n  "scripts": {\n    "build": "tsc",\n    "deep": {"no": 1}\n  }\n}'
    document = read(text, ".json")
    assert document.text == text
    assert document.opens is Opens.LINE
    assert headings(document) == [("name", 1), ("scripts", 1), ("build", 2), ("deep", 2)]
    assert text[document.headings[1].start :].startswith('"scripts"')
    assert [one.anchor for one in chunk(document)] == ["L1", "L4"]


def test_json_on_one_line_is_laid_out_and_opens_as_a_whole(read: Read) -> None:
    data = {"rules": [{"id": f"é{n}", "text": "words " * 9} for n in range(50)], "end": {"a": 1}}
    document = read(json.dumps(data), ".json")
    assert json.loads(document.text) == data and "\n" in document.text
    assert document.opens is Opens.HEADING
    assert ("rules", 1) in headings(document) and ("a", 2) in headings(document)


def test_configuration_with_comments_is_no_json_and_is_read_nevertheless(read: Read) -> None:
    document = read('{\n  // why\n  "a": 1,\n}', ".json")
    assert headings(document) == [("a", 1)]


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * (DEEPEST + 1) + "1"])
def test_json_that_is_nested_without_end_is_refused(read: Read, text: str) -> None:
    with pytest.raises(DocumentUnreadable, match="levels deep"):
        read(text, ".json")
    with pytest.raises(DocumentUnreadable, match="levels deep"):
        read(text, ".ipynb")


YAML = """# How we deploy.
service: footnote
provider:
  name: aws
  "memory size": 1024
script: |
  not: a key
functions:
  - name: slack
    handler: x
---
second: true
"""


def test_yaml_is_left_as_it_is_with_its_outer_keys_as_headings(read: Read) -> None:
    document = read(YAML, ".yaml")
    assert document.text == YAML.rstrip()
    assert headings(document) == [
        ("service", 1),
        ("provider", 1),
        ("name", 2),
        ("memory size", 2),
        ("script", 1),
        ("functions", 1),
        ("name", 2),
        ("second", 1),
    ]


def test_plain_text_elsewhere_than_in_a_file_has_no_lines_to_open() -> None:
    raw = RawDocument(
        DocumentRef("s", "C1/171.5", "v"), b"hello", "text/plain", "", frozenset(), None
    )
    assert DocumentParser().parse(raw).opens is Opens.HEADING


def test_source_code_that_a_server_calls_text_is_read_as_source_code() -> None:
    for media_type in ("text/plain", "text/x-python", "application/octet-stream", ""):
        raw = RawDocument(
            DocumentRef("s", "a/b.py", "v"), PYTHON.encode(), media_type, "", frozenset(), None
        )
        assert DocumentParser().parse(raw).headings[0].text == "Reader"
