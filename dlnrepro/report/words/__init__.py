"""Words that all formats of a report share.

* `digest` says in short phrases how a claim came out: runs passed, tightest criterion, controls, computing time.
* `margins` says how near the worst run comes to its bound, and how far from it the nearest control run is.
* `labels` names the labels of a result, and every number that is not as the claim file says.
* `words` writes the sentences about one criterion, and explains the labels of a result.
* `glossary` holds the words of a report with their meanings, for the page and the README.
* `resolution` says what numbers in float64 cannot show in a figure.
* `numbers` writes numbers, durations, settings and curves as short text.
* `mathematics` reads the mathematical notation of claims and runners; `notation` holds its parts and its tokens.
* `typeset` writes what was read as HTML, for a picture and for a terminal; and powers of ten and intervals.
* `origins` says where the claims of a joined report were made with different versions or machines.
* `html_ids` gives the claims of a report names that differ even where two claims have one id.
"""
