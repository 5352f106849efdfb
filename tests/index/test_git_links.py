"""index.sources.git_links: where a file can be opened, at a commit."""

import pytest

from index.sources.git_links import link, problem_of, template_of


@pytest.mark.parametrize(
    ("url", "web", "expected"),
    [
        ("https://github.com/acme/docs.git", "", "https://github.com/acme/docs/blob/C/a%20b.md"),
        ("git@github.com:acme/docs.git", "", "https://github.com/acme/docs/blob/C/a%20b.md"),
        ("ssh://git@github.com:22/acme/docs", "", "https://github.com/acme/docs/blob/C/a%20b.md"),
        ("https://gitlab.com/a/b/c.git", "", "https://gitlab.com/a/b/c/-/blob/C/a%20b.md"),
        ("https://gitlab.acme.example:8443/a/b", "", "https://gitlab.acme.example:8443/a/b/-/blob/C/a%20b.md"),
        ("https://bitbucket.org/a/b", "", "https://bitbucket.org/a/b/src/C/a%20b.md"),
        ("https://codeberg.org/a/b", "", "https://codeberg.org/a/b/src/commit/C/a%20b.md"),
        ("https://dev.azure.com/a/b/_git/c", "", "https://dev.azure.com/a/b/_git/c?path=/a%20b.md&version=GCC"),
        ("https://code.acme.example/a/b", "gitea", "https://code.acme.example/a/b/src/commit/C/a%20b.md"),
        ("https://code.acme.example/a/b", "", ""),
        ("https://notgithub.example/a/b", "", ""),
        ("/srv/git/docs", "", ""),
        ("file:///srv/git/docs", "github", ""),
        ("/srv/git/docs", "https://h/{path}?at={commit}", "https://h/a%20b.md?at=C"),
    ],
)  # fmt: skip
def test_a_file_opens_at_its_commit(url: str, web: str, expected: str) -> None:
    assert link(template_of(url, web), "C", b"a b.md") == expected


@pytest.mark.parametrize("path", [b"a/b&c=?#.md", b"caf\xe9.md", b"a\nb.md", b"{commit}.md"])
def test_a_path_cannot_leave_its_place_in_an_address(path: bytes) -> None:
    made = link("https://h/{path}?at={commit}", "C", path)
    assert made.startswith("https://h/") and made.endswith("?at=C") and made.count("?") == 1
    assert not set(made) & set("#\n {}") and "&" not in made


@pytest.mark.parametrize("web", ["", "github", "https://h/{path}", "http://h/{commit}/{path}"])
def test_a_known_software_and_an_address_with_a_path_are_taken(web: str) -> None:
    assert problem_of(web) == ""


@pytest.mark.parametrize(
    "web",
    [
        *("gitbub", "https://h/", "{path}", "javascript:{path}"),
        *("https://h/{path}{x}", "https://h/{path}{"),
    ],
)
def test_anything_else_is_refused_with_a_sentence(web: str) -> None:
    assert problem_of(web)
