"""The habits that make a text hard to read for somebody whose language is not English, with what to write instead.

A new habit needs examples of both: a sentence that is refused, and a good sentence that must not be.
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple


class Habit(NamedTuple):
    """A habit that readers stumble over.

    Attributes:
        name: what it is called.
        pattern: a regular expression; a blank stands for any white space.
        instead: what to write instead.
        wrong: texts that are refused.
        right: texts that are accepted.
        where: the parts of the project to which it applies; none stands for all.
    """

    name: str
    pattern: str
    instead: str
    wrong: tuple[str, ...]
    right: tuple[str, ...]
    where: tuple[str, ...] = ()


SCIENCE = ("claims", "dynamics", "runners", "settings")
_UNIT = "step|run|claim|arm|layer|criterion|fault|line|module|paper|process|seed|epoch|level|file|case|depth|mode"
_LINKS = r"(?:for|of|in|is|as|with|at|from|to|by|and|or|on|if|where|when|per|after|before|than|that|not)\b"
_MORE = (
    "longer|more|less|fewer|larger|smaller|greater|better|worse|shorter|wider|flatter|sooner|later|other|lower|higher"
)

HABITS = (
    Habit(
        "told",
        r"\b(?:told|tells)\b|\bcontrols? tell\b",
        "of a control: 'fails, as required'; of a formula: 'uses'; otherwise: 'says', 'shows', 'distinguishes'",
        ("how many controls told", "a test that tells them apart", "4 of 4 controls tell"),
        ("a foretold result", "the reader can tell"),
    ),
    Habit(
        "blind",
        r"(?<![-\w])blind(?:ly|ness)?(?![-\w])",
        "'uninformative'; of a formula: 'that does not use the depth'",
        ("a criterion that is blind", "0.31 for the blind one"),
        ("the arm depth-3-blind",),
    ),
    Habit("beside", r"\bbeside\b", "'next to', 'below', 'with'", ("the control beside it",), ("besides this",)),
    Habit(
        "behind",
        r"\bbehind\b(?! (?:a|the) (?:fold|heading|link|network|window)\b)",
        "'after', 'under', 'below', 'later than'",
        ("the number behind a comma", "the reason behind it"),
        ("shown behind a fold",),
    ),
    Habit(
        "but for",
        r"(?<!, )\bbut for\b",
        "'except for', 'except that'",
        ("nothing moves but for rounding",),
        ("not for one depth, but for every depth", "the attribute for it"),
    ),
    Habit(
        "come by",
        r"\b(?:comes?|came|coming) by\b",
        "'is computed', 'is obtained', 'follows from'",
        ("how cells are come by", "the value comes by quadrature"),
        ("the next comes before it",),
    ),
    Habit("whoever", r"\bwhoever\b", "'a user who', 'everyone who'", ("Whoever gives one",), ("the one who gives it",)),
    Habit("anew", r"\banew\b", "'again', 'in each run'", ("drawn anew in each run",), ("a new draw",)),
    Habit(
        "so many",
        r"\bso many\b",
        "'this many', or the number itself",
        ("stops after so many steps",),
        ("as many steps",),
    ),
    Habit(
        "the sum",
        r"\bthe sum(?=[.,;:]|\s*$)",
        "of a report: 'the summary'; of numbers: 'the sum of ...'",
        ("Only what differs, and the sum.",),
        ("the sum of squares", "the summary."),
    ),
    Habit(
        "no matter",
        r"\b(?:is|are|was) no matter\b",
        "'does not matter', 'is irrelevant'",
        ("it is no matter",),
        ("no matter which seed is used",),
    ),
    Habit(
        "a X a Y",
        r"(?<!give )(?<!gives )(?<!given )(?<!giving )"
        rf"\b(?:an?|one|two|three|four|\d+) (?!{_LINKS})[\w-]+ an? (?:{_UNIT})\b(?!-)"
        rf"|\b(?:layers|steps|lines|threads|arms|points|seconds) an? (?:{_UNIT})\b(?!-)",
        "'one X per Y'",
        ("one line a fault", "two steps a layer suffice", "a suite a claim", "sqrt(alpha eta) layers a step"),
        ("one line per fault", "give a runner a process", "a run of a claim", "1 for a claim", "it runs a claim again"),
    ),
    Habit(
        "is no",
        rf"(?<!there\s)\b(?:is|are|was|were) no (?!{_MORE}|one\b|\w+ (?:{_MORE})\b)",
        "'is not a'",
        ("A power is no slope.", "what is no valid claim"),
        ("there is no slope", "the runs are no longer used", "it is no larger than 1", "is not a slope"),
    ),
    Habit(
        "a part in",
        r"\b(?:a|one) part (?:in|per) (?:a |ten )?(?:\d|hundred|thousand|million)",
        "a percentage or a power of ten, such as '0.1 %' or '1e-6'",
        ("up to a part in 1000", "one part in a million"),
        ("a part in this proof",),
    ),
    Habit(
        "the same bits",
        r"\bsame (?:last )?bits?\b|\bto the (?:last )?bit\b|\bbit for bit\b|\bthe bits are\b",
        "'bitwise identical'",
        ("runs it again: the same bits?", "those of the command line, to the bit", "bit for bit"),
        ("the results are bitwise identical", "the last bits may differ"),
    ),
    Habit(
        "toy",
        r"(?<![-\w])toys?(?![-\w])",
        "'reduced', 'the quick profile'; the label in code quotes is allowed",
        ("all of them as toys", "The claims' toy profiles"),
        ("the quick profile", "the label `toy`"),
    ),
    Habit(
        "closest",
        r"\bclosest\b",
        "of a criterion: 'tightest'; of a distance: 'nearest'",
        ("closest to the bound",),
        ("a closer bound",),
    ),
    Habit(
        "knows",
        r"\bknows? (?:no|nothing|not)\b",
        "'does not depend on', 'does not use'",
        ("the push knows no norm", "a formula that knows nothing of depth"),
        ("git knows the commit",),
    ),
    Habit(
        "beyond",
        r"\bbeyond\b(?! the edge of stability)",
        "'above', 'larger than', 'after', 'outside'",
        ("a step size beyond the limit", "and not beyond"),
        ("a step size above the limit", "beyond the edge of stability"),
    ),
    Habit(
        "to the end of",
        r"\bto the end of\b",
        "'until the end of', 'at the end of'",
        ("shows the rate to the end of the window",),
        ("until the end of the window", "added to the ends of it"),
    ),
    Habit(
        "distant pronoun",
        r"\b(?:the others|likewise)\b",
        "the noun itself",
        ("the others are LSODA", "Likewise for the flow."),
        ("the other arms",),
    ),
    Habit(
        "delay",
        r"(?<![-\w])delays?(?![-\w])(?! the\b)",
        "'escape time'",
        ("the delay at a saddle",),
        ("one-neuron-saddle-delay", "delayed generalisation", "random parts delay the wave"),
        SCIENCE,
    ),
    Habit(
        "stamp",
        r"\b(?:un)?stamp(?:s|ed)?\b(?!:)",
        "'label', 'labelled'",
        ("the result is stamped", "a stamp of the record"),
        ("a timestamp", "stamps: expected 'cached'"),
    ),
    Habit(
        "held against",
        r"\b(?:held|holds?|holding)(?: [\w-]+){0,6} against\b",
        "'compared with', 'checked against'",
        ("numbers held against the criteria", "holds two reports against each other"),
        ("the criterion holds; a vote against it",),
    ),
    Habit("asked of", r"\basked of\b", "'required of'", ("everything that is asked of them",), ("asked for",)),
    Habit("at hand", r"\bat hand\b", "'available'", ("The claims at hand",), ("at handling",)),
    Habit(
        "all the same",
        r"\ball the same\b(?! \w)|\bonce and for all\b|\bfor good\b(?! \w)|\bas it were\b",
        "'anyway', 'permanently', or nothing",
        ("judges them all the same", "Once and for all:"),
        ("all of the same size", "a good reason"),
    ),
    Habit(
        "no more",
        r", no more\b",
        "a sentence of its own: '16 runs cannot show more'",
        ("at least 0.83 of all runs pass, no more.",),
        ("no more than 16 runs",),
    ),
    Habit(
        "as little as",
        r"\bas little as\b(?! possible)",
        "'neither ... nor'",
        ("in a control as little as in the claim",),
        ("as little as possible",),
    ),
    Habit(
        "comes of",
        r"\b(?:comes?|came|coming) of (?:it|this|that|them)\b|\bwhat (?:comes|came) of\b",
        "'the result', 'the numbers'",
        ("send what comes of it", "the numbers that come of it"),
        ("it becomes of this type", "the outcome of it"),
    ),
    Habit(
        "given back",
        r"\b(?:gives?|gave|given|giving)(?: [\w-]+)? back\b",
        "'restored', 'returned'",
        ("the state is given back afterwards", "gives everything back at the end"),
        ("a gift, and the way back", "a background"),
    ),
    Habit(
        "where none",
        r"\bwhere (?:there (?:is|are) )?none\b|\bwhere (?:nobody|no one)\b",
        "'if there is none', 'if the file does not exist'",
        ("NaN where there is none", "None where none can be started"),
        ("if there is none", "the place where it begins"),
    ),
    Habit(
        "for as because",
        r", for (?:it|they|there|he|she|we|you|nothing|most|some) (?:is|are|was|were|has|have|had|does|do|did|can|may"
        r"|must|need|needs|takes?|then|would|will)\b",
        "'because'",
        ("it has a pid, for it was started", "imported here, for it takes longer"),
        ("a row for it", "for it to be read, the file must exist", "one for each run"),
    ),
    Habit(
        "is to be",
        r"\b(?:is|are) (?:not )?to be\b",
        "'must be', 'should be', 'will be'",
        ("the verdicts are to be the same",),
        ("the verdicts must be the same", "the aim is to become flat"),
    ),
    Habit(
        "inversion",
        r"\bnor (?:is|are|was|does|do|did|can|has|have|need|will|may|must)\b"
        r"|\bonly (?:then|so|here|there) (?:is|are|does|do|can|has|will)\b",
        "the usual order: 'and it is not ...'",
        ("nor need a run have them", "only then is it stored"),
        ("neither the runner nor the engine", "it is only then stored"),
    ),
    Habit(
        "old word",
        r"\b(?:lest|albeit|thereof|therein|wherein|whereof|hitherto|nought)\b",
        "a word of today: 'so that ... not', 'although', 'of it', 'in it', 'where', 'until now'",
        ("lest it be lost", "the space wherein it lies"),
        ("the latest", "hence the limit", "the space in which it lies"),
    ),
    Habit(
        "run for report",
        r"\bstored runs?\b|\b(?:the|a|your) (?:last|newest|latest|whole) run\b(?!s| of (?:an|the|each) arm)",
        "'report': a run is one seed of one arm; one invocation leaves a report",
        ("two stored runs", "the last run again"),
        ("the stored reports", "the newest runs"),
    ),
    Habit(
        "e-fold",
        r"(?<!\w)e-?fold(?:s|ing)?\b",
        "'when ... grows by a factor e'",
        ("each e-fold of eps",),
        ("a twofold gain", "the fold"),
    ),
    Habit(
        "padded exponent",
        r"(?<![\w.])\d+(?:\.\d+)?e[+-]?0\d",
        "'1e-8', without the zero",
        ("at most 1e-08", "1.5e-05"),
        ("at most 1e-8", "1e-10"),
    ),
    Habit(
        "start",
        r"(?<!at )(?<!from )\b(?:an?|the|its|each|every|this|small|balanced|random|aligned|unbalanced|opposed)"
        r" starts?\b(?! (?:of|time)\b)",
        "'initialization'; 'initialization (start)' at its first use; 'at the start' for a time is allowed",
        ("from a small start the network learns", "the start is balanced"),
        ("the initialization (start) is balanced", "at the start", "the start of training", "the run starts"),
        ("claims",),
    ),
)


def refused(habit: Habit, text: str) -> list[re.Match[str]]:
    """The places in a text at which a habit is seen."""
    return list(_compiled(habit.pattern).finditer(_without_code(text)))


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """A pattern in which a blank stands for any white space, outside of the places where its width is fixed."""
    parts = re.split(r"(\(\?<[!=][^)]*\))", pattern)
    spread = [text if text.startswith("(?<") else text.replace(" ", r"\s+") for text in parts]
    return re.compile("".join(spread), re.IGNORECASE)


def _without_code(text: str) -> str:
    """The text with squares in the place of what is quoted as code, and of the ids of claims in a link."""
    return re.sub(r"(`+)[^`]+\1|\]\([^)]*\)", lambda found: re.sub(r"\S", "□", found[0]), text)
