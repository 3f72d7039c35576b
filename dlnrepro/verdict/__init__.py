"""From measured numbers to a verdict: pure functions of a claim and its numbers, with no tensors, files or colours.

A criterion is an interval for one measure. It holds in an arm if the arm's runs lie inside; a control is informative if
its runs lie outside. A claim is reproduced, not reproduced, inconclusive, or has an error.

* `equal_runs` finds arms whose runs all have the same numbers.
* `outcome` has the measured numbers of one arm, or the reason why there are none.
* `bounds` computes thresholds that are formulas, and so the interval of each run.
* `check` compares one measure in one arm with its interval, and gives the share of runs inside with its interval.
* `rule` decides from the numbers of passing and failing runs whether almost all draws, or every draw, pass.
* `operating` has the probabilities of these decisions, and the number of runs that they need.
* `slack` is the factor between a threshold and the worst run.
* `judge` combines the checks into criteria and assumptions, and these into the verdict of the claim.
* `printed` puts numbers that others have printed next to ours; they do not enter the verdict.
* `distances` says how far the runs of a criterion lie from their thresholds, and from its controls.
* `chances` says how likely the tests of a report decide wrongly, all together.
* `audit` says how good each criterion is and how its verdict could be wrong, with `sharpness` (how sharp a criterion
  is), `audit_changes` (what harmless changes and flaws do), `audit_findings` (what is not as it should be) and
  `audited` (its results).
"""
