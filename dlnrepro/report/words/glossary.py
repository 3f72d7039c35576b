"""The words of a report, each with its meaning in one sentence: for the HTML page and for the README."""

from __future__ import annotations

GLOSSARY = {
    "run": "A run is one seed of one arm; the seed fixes everything that is drawn at random.",
    "report": "A report is what one invocation leaves: the verdicts, every measured number, and where they come from.",
    "arm": "An arm is the setting of a claim with a few named changes; all arms of a claim use the same seeds.",
    "control": "A control is an arm that breaks one hypothesis of the claim or has a wrong formula; "
    "the criterion must not hold in it, and then it fails as required.",
    "measure": "A measure is one number per run, for example the largest relative error along the training.",
    "series": "A series is one number per run and per point of an axis, for example the loss against time.",
    "criterion": "A criterion is a test of the claim: in some arms a measure must lie in a given interval, "
    "and in the controls it must lie outside.",
    "assumption": "An assumption is a hypothesis of the statement or of the test, measured in every run; "
    "if a run does not meet it, the claim is inconclusive.",
    "verdict": "A verdict is the result for one claim: reproduced, not reproduced, inconclusive or error.",
    "uninformative": "A criterion is uninformative if one of its controls passes too; "
    "it is then no evidence for the claim, and the claim is inconclusive.",
    "undecided": "A run is undecided if it gives no finite number, because it diverged or its time was up; "
    "it counts neither for the claim nor against it.",
    "label": "A label says how a result differs from a complete new run of the claim file, "
    "for example by other settings (modified) or by stored numbers (cached).",
    "quick profile": "The quick profile is a smaller version of a claim, with fewer runs and cheaper settings; "
    "its result has the label reduced and is only a first look.",
    "basis": "The basis says how the criteria follow from the source: from a theorem that was read, from an abstract, "
    "or by a derivation for this project.",
    "pilot": "A pilot is a first set of runs that shows how large errors and effects are; "
    "some thresholds were chosen from it.",
    "held-out run": "A held-out run has a seed that no pilot used; such runs were made to see whether the thresholds "
    "hold for other seeds.",
    "worst run": "The worst run of a criterion is the one whose measure is nearest to its threshold, "
    "or furthest outside.",
    "tightest criterion": "The tightest criterion is the one whose worst run uses the largest part of its tolerance "
    "(half the width of the interval, or the size of a single threshold).",
    "95 % bound": "The 95 % bound is the exact lower confidence bound on the share of all possible runs "
    "that lie inside the required interval, for one arm and one criterion.",
}
"""A word -> its meaning, a sentence that uses the word."""


def glossary_lines() -> list[str]:
    """The glossary as lines of Markdown, one for each word."""
    return [f"- **{word}**: {meaning}" for word, meaning in GLOSSARY.items()]
