"""The words of a report, each with its meaning in one sentence: for the HTML page and for the README."""

from __future__ import annotations

from dlnrepro.report.words.numbers import percent
from dlnrepro.verdict.rule import BAD, GOOD, MOST_RUNS

GLOSSARY = {
    "run": "A run is one seed of one arm; the seed fixes everything that is drawn at random.",
    "report": "A report is what one invocation leaves: the verdicts, every measured number, and where they come from.",
    "arm": "An arm is the setting of a claim with a few named changes; all arms of a claim use the same seeds.",
    "control": "A control is an arm that breaks one hypothesis of the claim; "
    "the criterion must not hold in it, and then it fails as required.",
    "wrong formula": "A wrong formula is a control that changes only the formula that a measure is compared with, so "
    "it breaks no hypothesis, and a criterion needs another control too.",
    "measure": "A measure is one number per run, for example the largest relative error along the training.",
    "series": "A series is one number per run and per point of an axis, for example the loss against time.",
    "criterion": "A criterion is a test of the claim: in some arms a measure must lie in a given interval, "
    "and in the controls it must lie outside.",
    "assumption": "An assumption is a hypothesis, measured in every run; a run that does not meet it is left out, "
    "and if it does not hold, the claim is inconclusive.",
    "almost all": f"A criterion for almost all runs is decided by a test: at least {percent(GOOD)} of all possible "
    f"runs lie inside, against at most {percent(BAD)}.",
    "every": "A criterion for every run speaks of all possible runs, and one run outside refutes it.",
    "counterexample": "A counterexample is a run that refutes a criterion for every run; the report gives its arm, "
    "its seed and its value.",
    "verdict": "A verdict is the result for one claim: reproduced, not reproduced, inconclusive or error.",
    "covers": "What a claim covers is the whole statement of its source, a part or a special case, so it is reproduced "
    "in full, in part or in a special case.",
    "independent route": "An independent route is a second way to the decisive number of a claim that shares no code "
    "with the formula to which the number is held.",
    "uninformative": "A criterion is uninformative if one of its controls passes too; "
    "it is then no evidence for the claim, and the claim is inconclusive.",
    "undecided": "A run is undecided if it gives no finite number, because it diverged or its time was up; "
    "it counts neither for the claim nor against it.",
    "left out": "A run is left out if it does not meet an assumption of its arm, because the claim does not speak of "
    "such runs.",
    "share": "The share of an arm is the part of its counted runs that are as required: inside in a tested arm, "
    "outside in a control.",
    "95 % interval": "The 95 % interval of a share is its exact confidence interval (Clopper and Pearson), for one arm "
    "and one criterion, as for a fixed number of runs.",
    "in doubt": f"An arm is in doubt while its runs decide for neither side; it gets further runs, and without a "
    f"decision after {MOST_RUNS} runs it is undecided.",
    "label": "A label says how a result differs from a complete new run of the claim file, "
    "for example by other settings (modified) or a fixed number of runs (fixed runs).",
    "quick profile": "The quick profile is a smaller version of a claim, with fewer runs and cheaper settings; "
    "its result has the label reduced and is only a first look.",
    "basis": "The basis says how the criteria follow from the source: from a theorem (read, or reported by a third "
    "party), from an abstract, or by a derivation for this project.",
    "pilot": "A pilot is a first set of runs that shows how large errors and effects are; "
    "some thresholds were chosen from it.",
    "held-out run": "A held-out run has a seed that no pilot used; such runs were made to see whether the thresholds "
    "hold for other seeds.",
    "worst run": "The worst run of a criterion is the one whose measure is nearest to its threshold, "
    "or furthest outside.",
    "slack": "The slack of a criterion is the factor between its threshold and its worst run, so a slack of 1,000 is a "
    "very loose threshold.",
    "printed number": "A printed number is one that others have published for the same setting; "
    "a report shows it next to ours, and it does not enter the verdict.",
    "tightest criterion": "The tightest criterion is the one whose worst run uses the largest part of its tolerance "
    "(half the width of the interval, or the size of a single threshold).",
}
"""A word -> its meaning, a sentence that uses the word."""


def glossary_lines() -> list[str]:
    """The glossary as lines of Markdown, one for each word."""
    return [f"- **{word}**: {meaning}" for word, meaning in GLOSSARY.items()]
