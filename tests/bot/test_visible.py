"""What deceives the eye is seen, nothing is lost, and no text can imitate our signs."""

import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.visible import made_visible

SIGN = re.compile("‹U\\+([0-9A-F]{4,6})›|‹RTL›|‹LTR›")
TRICKY = st.text(
    st.sampled_from("‹›U+RTL0123 ab.-_\n\u202e\u200b\u0430\u05d0\u0627\u0301\ufe0f\u2705\U000e0041")
    | st.characters(),
    max_size=40,
)


def read_back(shown: str) -> str:
    """Return what was there before it was made visible."""
    return SIGN.sub(lambda found: chr(int(found[1], 16)) if found[1] else "", shown)


@given(TRICKY)
@example("‹U+202E›")
@example("‹RTL›‹LTR›")
@example("‹\u05d0")
def test_nothing_is_lost_and_nothing_can_be_imitated(text: str) -> None:
    assert read_back(made_visible(text)) == text


@given(TRICKY)
def test_nothing_that_is_shown_is_invisible_or_turns_the_direction(text: str) -> None:
    shown = made_visible(text)
    for before, character in zip(" " + shown, shown, strict=False):
        if character == "\ufe0f":  # only as the picture of the symbol before it
            assert unicodedata.category(before) == "So"
        elif character not in "\n ":
            hidden = {"Cc", "Cf", "Cs", "Co", "Cn", "Zs", "Zl", "Zp"}
            assert unicodedata.category(character) not in hidden


@given(st.text(st.characters(max_codepoint=0x7E, min_codepoint=0x20) | st.just("\n")))
def test_plain_text_stays_as_it_is(text: str) -> None:
    assert made_visible(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("invoice\u202efdp.exe", "invoice‹U+202E›fdp.exe"),
        ("zero\u200bwidth", "zero‹U+200B›width"),
        ("\U000e0041tags", "‹U+E0041›tags"),
        ("no\u00a0break", "no‹U+00A0›break"),
        ("soft\u00adhyphen", "soft‹U+00AD›hyphen"),
        ("tab\there", "tab‹U+0009›here"),
        ("hangul\u3164filler", "hangul‹U+3164›filler"),
        ("e\u0301", "e‹U+0301›"),
        ("pick\ufe01", "pick‹U+FE01›"),
    ],
)
def test_what_cannot_be_seen_is_shown_by_its_number(text: str, shown: str) -> None:
    assert made_visible(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("p\u0430ypal.com", "p‹U+0430›ypal.com"),
        ("micro\u0441oft", "micro‹U+0441›oft"),
        ("https://\u0430\u0440\u0440\u04cf\u0435.com", None),
        ("g\u03bf\u03bfgle", "g‹U+03BF›‹U+03BF›gle"),
        ("\uff50\uff41\uff59", "‹U+FF50›‹U+FF41›‹U+FF59›"),
        ("\U0001d429ay", "‹U+1D429›ay"),
        ("a\u2010b", "a‹U+2010›b"),
        ("evil.com\u2215good.com", "evil.com‹U+2215›good.com"),
        ("\u0441\u0441@corp.com", "‹U+0441›‹U+0441›@corp.com"),
    ],
)
def test_letters_that_pass_for_others_are_shown_by_their_numbers(
    text: str, shown: str | None
) -> None:
    assert made_visible(text) == shown if shown else "‹U+0430›" in made_visible(text)


@pytest.mark.parametrize(
    "text",
    [
        "Grüße aus Zürich, naïve façade, Łódź",
        "Москва и рос, сухо у моря",
        "日本語のTシャツ 々",
        "한국어 PC방",
        "ελληνικά και αγγλικά",
        "µg m² ½ № — “quoted” …",
        "✅ ⚠\ufe0f 🎉",
        "हिन्दी ไทย தமிழ்",
    ],
)
def test_ordinary_writing_of_any_script_stays_readable(text: str) -> None:
    assert made_visible(text) == text


def test_text_from_the_right_is_kept_apart_so_that_the_rest_keeps_its_order() -> None:
    shown = made_visible("pay \u05d0\u05d1 \u05d2 100 \u05d3")
    assert shown == "pay ‹RTL›\u05d0\u05d1 \u05d2‹LTR› 100 ‹RTL›\u05d3‹LTR›"
