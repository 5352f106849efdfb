"""The closed word lists of the support check. Data only; words stand as they are written.

English first, with the commonest words of the neighbouring languages, so that a negation is seen
there too.
"""

FUNCTION_WORDS = frozenset(
    "a an the this that these those it its it's he she him her his hers they them their theirs"
    " you your yours we us our ours i me my one ones of in on at to for from by with as into"
    " onto about than then and or but so also too if when while where which who whom whose what"
    " how why is are was were be been being am do does did done doing have has had having will"
    " would shall should can could may might must there here such same other each very just"
    " both either per via up out off over under own any some all every more most less least"
    " much many few several e.g i.e etc however therefore thus hence moreover furthermore"
    " additionally otherwise instead please yes well now again until before after during"
    " between through since because although though not no nor never none neither cannot"
    " without except unless only"
    # The same for the languages that answers most often come in.
    " der die das den dem des ein eine einen einem einer eines und oder aber ist sind war"
    " waren wird werden kann können muss müssen darf dürfen soll sollen hat haben hatte sie er"
    " es wir ihr ihre ihren sein seine für von zu zum zur im am an auf aus bei mit nach über"
    " unter vor durch als wie wenn dass auch noch nur sich man pro bis um nicht kein keine"
    " keinen le la les un une des du de et ou est sont dans pour par sur avec ce cette ces il"
    " elle ils elles vous nous que qui au aux en el los las y o es son para por con su sus"
    " se".split()
)
"""Words that carry no claim of their own; some are looked at again as negation or limit."""

META_WORDS = frozenset(
    "document documents documentation passage passages source sources text page according"
    " accordance state states stated mention mentions mentioned describe describes described"
    " say says note noted section detail details information based respectively overall example"
    " instance way ways thing things directly simply generally typically usually currently like"
    " first second third finally next last longer want wants main additional certain various"
    " different particular relevant order step steps specific specifically total".split()
)
"""Words of talking about documents: they say nothing that a quote could bear out."""

SOFT_WORDS = META_WORDS | frozenset(
    "get gets give gives given provide provides provided receive receives offer offers need"
    " needs needed use uses used using include includes including contain contains make makes"
    " made take takes taken allow allows allowed let lets able available possible apply applies"
    " applied entitled entitle means called known refer refers ensure follow follows following"
    " followed set sets go goes going come comes require requires required become becomes lasts"
    " lasting consist consists involve involves perform performs performed occur occurs help"
    " helps helped within permitted permit permits necessary eligible".split()
)
"""Words that a longer paraphrase may bring along; in a short claim they are the claim."""

SAME_PREDICATE = tuple(
    frozenset(group.split())
    for group in (
        "get gets give gives given provide provides provided receive receives offer offers"
        " entitled entitle have has eligible granted grant",
        "need needs needed require requires required necessary must shall mandatory obligatory",
        "allow allows allowed permit permits permitted may can able possible let lets",
        "use uses used using with via through by",
        "include includes including contain contains consist consists",
        "lasts lasting is are takes take",
    )
)
"""Predicates that stand for each other: one in the claim needs one of its group in the quote."""

SAME = {
    word: group[0]
    for group in (
        "employee employees staff worker workers colleague colleagues personnel".split(),
        "holiday holidays vacation vacations pto".split(),
        "year years annual annually yearly".split(),
        "month months monthly".split(),
        "week weeks weekly".split(),
        "day days daily".split(),
        "hour hours hourly hr hrs".split(),
        "minute minutes min mins".split(),
        "second seconds sec secs".split(),
        "start starts started starting begin begins began begun beginning".split(),
        "end ends ended ending finish finishes finished".split(),
        "buy buys bought buying purchase purchases purchased purchasing".split(),
        "submit submits submitted submitting send sends sent sending".split(),
        "ask asks asked asking request requests requested requesting".split(),
        "pay pays paid paying payment payments".split(),
        "keep keeps kept keeping retain retains retained".split(),
        "delete deletes deleted deleting deletion remove removes removed removing removal".split(),
        "reimburse reimburses reimbursed reimbursement refund refunds refunded".split(),
        "show shows shown display displays displayed".split(),
        "choose chooses chose chosen select selects selected selecting pick".split(),
        "write writes wrote written writing".split(),
        "find finds found finding".split(),
        "hold holds held holding".split(),
        "euro euros eur".split(),
        "dollar dollars usd".split(),
        "percent percentage per-cent".split(),
        "maximum max maximal".split(),
        "minimum minimal".split(),
        "phone telephone".split(),
        "email e-mail mail emails e-mails".split(),
        "company organisation organization firm".split(),
        "must mandatory obligatory".split(),
        "forbid forbids forbidden prohibit prohibits prohibited ban bans banned".split(),
        "locate located situate situated".split(),
    )
    for word in group
}

NUMBER_WORDS = {
    word: str(value)
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen"
        " fifteen sixteen seventeen eighteen nineteen twenty".split()
    )
}
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
for _ten, _word in enumerate(_TENS, start=2):
    NUMBER_WORDS[_word] = str(10 * _ten)
    for _one, _small in enumerate("one two three four five six seven eight nine".split(), start=1):
        NUMBER_WORDS[f"{_word}-{_small}"] = str(10 * _ten + _one)

SCALES = {
    "hundred": 100,
    "thousand": 1_000,
    "million": 1_000_000,
    "billion": 1_000_000_000,
    "trillion": 1_000_000_000_000,
}
"""Words that multiply the number before them."""

UNITS = frozenset(
    "year month week day hour minute second percent euro dollar pound gb mb kb tb ms km kg cm"
    " mile kilometre metre meter foot feet inch acre mi m litre gram tonne ton watt volt decade"
    " century mm yard knot hectare"
    " people employee person time attempt character page item user seat request byte degree am"
    " pm".split()
)
"""What is counted: a number must stand with the same unit in claim and quote."""

NEGATORS = frozenset(
    "not no never none nobody nothing nowhere neither nor without hardly barely nicht kein"
    " keine keinen keiner keinem nie niemals ohne jamais aucun aucune nunca niet geen nooit"
    " zonder".split()
)
EXCEPTIONS = (
    ("except",), ("excepting",), ("excluding",), ("unless",), ("other", "than"), ("apart", "from"),
    ("with", "the", "exception"), ("außer",), ("sauf",), ("excepto",),
)  # fmt: skip
# Apart from the exceptions, so that "unless" never stands for "if". "Provided" alone is no
# condition: most often something is provided by, to or in something.
CONDITIONS = (
    ("if",), ("once", "you"), ("once", "your"), ("when", "you"), ("when", "your"),
    ("only", "when"), ("only", "after"),
    ("as", "long", "as"), ("provided", "that"), ("provided", "you"),
    ("provided", "your"), ("provided", "the"), ("provided", "they"), ("provided", "it"),
)  # fmt: skip
NO_CONDITIONS = (("even", "if"), ("as", "if"), ("ask", "if"), ("whether", "if"), ("see", "if"))
"""Phrases in which "if" sets no condition."""
WHENEVER = frozenset("when whenever where once wherever while case".split())
"""Words with which a paraphrase may set the same condition."""
MYTHS = (
    ("myth",), ("myths",), ("misconception",), ("misconceptions",), ("popular", "belief"),
    ("common", "belief"), ("wrongly",), ("mistakenly",), ("falsely",), ("not", "true"),
    ("untrue",), ("rumour",), ("rumours",), ("rumor",), ("rumors",), ("hoax",), ("fallacy",),
    ("erroneously",), ("incorrectly",),
)  # fmt: skip
"""Phrases that take back the rest of their sentence."""
NO_MYTHS = (("contrary", "to", "popular", "belief"), ("contrary", "to", "common", "belief"))
DOUBTS = frozenset("might perhaps possibly probably supposedly allegedly reportedly maybe".split())
HEDGES = DOUBTS | frozenset("may could can likely possible seem seems appear appears".split())
"""Words of doubt, and those that show in a claim that there is some."""
MONTHS = frozenset(
    "january february march april may june july august september october november december".split()
)
US = frozenset("we us our ours company".split())
YOU = frozenset("you your yours employee".split())
"""The writer and the reader of a handbook, as words and as stems."""
ANAPHORS = frozenset(
    "he she it its they their them this these those that such both here there his her who"
    " which".split()
)
"""Words with which a sentence speaks of the one before it."""
PREPOSITIONS = frozenset(
    "within from to by before after until since with without for in on at of into under over above"
    " below against through during between among via behind near off".split()
)
CLASHES = {
    one: frozenset(others.split())
    for one, others in {
        "from": "to by until for into",
        "to": "from by",
        "by": "from to for with without after",
        "for": "from by against",
        "until": "from since after",
        "since": "until before",
        "before": "after since", "within": "after",
        "after": "before by until within",
        "with": "without against",
        "without": "with",
        "against": "for with",
        "above": "below under", "below": "above over",
        "over": "under below", "under": "over above",
        "into": "from",
    }.items()
}  # fmt: skip
"""Prepositions that cannot stand for each other before the same word."""
NOT_NEGATIONS = (
    ("no", "later", "than"), ("no", "more", "than"), ("not", "more", "than"),
    ("no", "less", "than"),
    ("no", "fewer", "than"), ("not", "less", "than"), ("not", "only"), ("whether", "or", "not"),
    ("not", "exceed"), ("not", "exceeding"), ("no", "earlier", "than"),
)  # fmt: skip
LIMITS: tuple[tuple[str, tuple[tuple[str, ...], ...]], ...] = (
    ("max", (
        ("at", "most"), ("up", "to"), ("no", "more", "than"), ("not", "more", "than"),
        ("not", "exceed"),
        ("not", "exceeding"), ("maximum",), ("max",), ("a", "maximum", "of"), ("limited", "to"),
        ("limit",), ("capped",), ("cap",), ("or", "less"), ("or", "fewer"), ("höchstens",),
    )),
    ("min", (
        ("at", "least"), ("no", "less", "than"), ("no", "fewer", "than"), ("not", "less", "than"),
        ("minimum",), ("or", "more"), ("mindestens",),
    )),
    ("more", (("more", "than"), ("over",), ("above",), ("exceed",), ("exceeds",), ("exceeding",),
              ("greater", "than"), ("longer", "than"), ("older", "than"), ("beyond",))),
    ("less", (("less", "than"), ("under",), ("below",), ("fewer", "than"), ("shorter", "than"))),
)  # fmt: skip
OPPOSITES = tuple(
    (a.split(), b.split())
    for a, b in (
        ("allow allowed permit permitted may accept accepted",
         "prohibit prohibited forbid forbidden ban banned disallow disallowed deny denied refuse"
         " refused reject rejected"),
        ("include includes included including", "exclude excludes excluded excluding"),
        ("before within until", "after"),
        ("increase increased raise", "decrease decreased reduce reduced lower"),
        ("enable enabled", "disable disabled"), ("open opens", "close closes closed"),
        ("mandatory obligatory required compulsory", "optional voluntary"),
        ("internal", "external"), ("public", "private confidential"), ("earliest", "latest"),
        ("first", "last"), ("minimum", "maximum"), ("always", "never"),
        ("start starts", "end ends"),
        ("true", "false"), ("success succeed", "failure fail"), ("morning", "evening"),
        ("weekday weekdays", "weekend weekends"), ("safe", "unsafe dangerous"), ("above", "below"),
        ("import", "export"), ("buyer", "seller"), ("north", "south"), ("east", "west"),
        ("daily day", "nightly"), ("full", "partial empty"), ("free", "charged paid"),
        ("approve approved", "reject rejected decline declined"), ("win won", "lose lost"),
        ("temporary", "permanent"), ("upper", "lower"), ("high higher", "low lower"),
        ("old older", "new newer young younger"), ("large larger big", "small smaller"),
        ("add", "remove delete"), ("encrypted", "unencrypted plaintext"), ("inside", "outside"),
        ("more", "less fewer"),
        ("higher greater", "lower less fewer"), ("later", "earlier"), ("early", "late"),
    )
)  # fmt: skip
NEGATIVE_PREFIXES = ("un", "in", "im", "ir", "dis", "non", "non-", "il")
OBLIGATION = frozenset(
    "must shall required mandatory obligatory compulsory need needs have".split()
)
PERMISSION = frozenset(
    "recommended recommend recommends should encouraged advised suggested may can could might"
    " optional optionally voluntary allowed".split()
)
PARTIAL = frozenset("some many most few several certain sometimes often usually partly".split())
UNIVERSAL = frozenset("all every always any everyone everybody everything each entirely".split())
RESTRICTIVE = frozenset("only solely exclusively".split())
