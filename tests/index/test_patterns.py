"""index.sources.patterns: which documents a pattern means."""

import time

import pytest

from index.sources.patterns import LONGEST_PATTERN, PathPattern


@pytest.mark.parametrize(
    ("pattern", "path", "means"),
    [
        ("hr/**", "hr/a.md", True),
        ("hr/**", "hr/deep/er/a.md", True),
        ("hr/**", "hr", False),
        ("hr/**", "hr-public/a.md", False),
        ("hr/**", "x/hr/a.md", False),
        ("/hr/**", "hr/a.md", True),
        ("hr", "hr/a.md", True),
        ("hr", "x/hr/deep/a.md", True),
        ("/hr", "x/hr/a.md", False),
        ("hr/", "x/hr/a.md", True),
        ("hr/", "hr", False),
        ("hr/*", "hr/deep/a.md", True),
        ("hr/*.md", "hr/deep/a.md", False),
        ("hr/*.md", "hr/a.md", True),
        ("*.draft.md", "x/y/plan.draft.md", True),
        ("*.draft.md", "x/y/plan.md", False),
        ("**/private/**", "private/a.md", True),
        ("**/private/**", "x/y/private/z/a.md", True),
        ("a/**/b/*.md", "a/b/c.md", True),
        ("a/**/b/*.md", "a/x/y/b/c.md", True),
        ("a/**/b/*.md", "a/x/y/c.md", False),
        ("**", "a.md", True),
        ("/**", "x/a.md", True),
        ("*", "x/a.md", True),
        ("a?c.md", "abc.md", True),
        ("a?c.md", "a/c.md", False),
        ("[ab].md", "b.md", True),
        ("[!ab].md", "b.md", False),
        ("HR/**", "hr/a.md", False),
        ("x/a.b", "x/aab", False),
        ("h\nr/**", "h\nr/a.md", True),
        ("hr/**", "h\nr/a.md", False),
        ("hr/*.md", "hr/a\nb.md", True),
        ("gro\u0308\u00dfe/**", "gr\u00f6\u00dfe/a.md", True),
        ("https://docs.example/hr/**", "https://docs.example/hr/a", True),
        ("https://docs.example/hr/**", "https://docs.example/a", False),
    ],
)
def test_a_pattern_means_what_gitignore_says(pattern: str, path: str, means: bool) -> None:
    assert PathPattern(pattern).matches(path) is means


@pytest.mark.parametrize(
    "text",
    ["", " ", "/", "//x", "!hr/**", "hr\\**", "../hr", "hr/./x", "x" * (LONGEST_PATTERN + 1)],
)
def test_a_pattern_that_cannot_be_meant_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        PathPattern(text)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("a*" * 100 + "b", "a" * 4_000),
        ("**/" * 90 + "b", "a/" * 4_000 + "a"),
        ("**/a*/" * 40 + "b", "a/" * 2_000 + "a"),
    ],
)
def test_a_hostile_pattern_takes_no_longer_than_its_path_is_long(pattern: str, path: str) -> None:
    began = time.process_time()
    assert not PathPattern(pattern).matches(path)
    assert time.process_time() - began < 2.0
