"""Words that all formats of a report share.

* `digest` summarises the result of a claim in short phrases: runs passed, tightest criterion, controls, time.
* `margins` says how near the worst run comes to its bound, and how far from it the nearest control run is.
* `labels` explains the labels of a result, and every number that is not as the claim file says.
* `audit_words` says how an audit came out, and how a verdict could be wrong.
* `shares` writes what the runs of an arm show: their share, the decision, and why there are further runs.
* `chances` says how likely the verdicts of a report are wrong.
* `remedies` gives counterexamples, and says what can still be done about an arm that is not as required.
* `words` writes the sentences about one criterion, and explains the labels of a result.
* `glossary` holds the words of a report with their meanings, for the page and the README.
* `resolution` says what numbers in float64 cannot show in a figure.
* `numbers` writes numbers, durations, settings and curves as short text.
* `mathematics` reads the mathematical notation of claims and runners; `notation` holds its parts and its tokens.
* `typeset` writes this notation for HTML, a picture and a terminal; it also writes powers of ten and intervals.
* `origins` says where the claims of a joined report were made with different versions or machines.
* `brief` has the words of a result that a list needs: verdicts, labels, and how much is tested.
* `others` writes numbers that others have printed next to ours.
* `html_ids` gives the claims of a report names that differ even if two claims have one id.
"""
