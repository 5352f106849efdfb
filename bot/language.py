"""Which language a question is in, as far as the bot speaks it. Pure.

It counts words that are frequent in one language and no words of the other. A word of both ("in",
"was", "die", "hat", "man") counts for neither.
"""

import re

_ENGLISH = frozenset(
    "the is are do does did what how when where who which why can could should would my our your we"
    " they it this that there of to for from with and or if have has be been not a i you any many"
    " much long often at on by".split()
)
_GERMAN = frozenset(
    "der das den dem des ein eine einen einem einer ist sind wie wann wo wer welche welcher welches"
    " warum wieso wozu kann können darf dürfen soll muss müssen ich wir ihr mein meine unser unsere"
    " und oder wenn nicht kein keine für von zu zum zur im bei mit nach über auf aus gibt es wird"
    " werden habe haben hast sich auch noch viele viel lange oft bekomme mir mich uns".split()
)


def language_of(text: str) -> str:
    """Return "de" or "en": the language of most of the telling words, English in doubt."""
    words = re.findall(r"[^\W\d_]+", text.casefold())
    german = sum(word in _GERMAN for word in words) + any(c in "äöüß" for c in text.casefold())
    return "de" if german > sum(word in _ENGLISH for word in words) else "en"
