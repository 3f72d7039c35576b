"""Words that all formats of a report share.

* `digest` says in short phrases how a claim came out: runs passed, tightest criterion, controls, computing time.
* `words` writes the sentences about one criterion, and explains the labels of a result.
* `glossary` holds the words of a report with their meanings, for the page and the README.
* `numbers` writes numbers, durations, settings and curves as short text.
* `typeset` writes the mathematical notation of claims and runners with Greek letters and exponents.
* `origins` says where the claims of a joined report were made with different versions or machines.
* `html_ids` gives the claims of a report names that differ even where two claims have one id.
"""
