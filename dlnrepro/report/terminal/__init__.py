"""A report as text, and the progress of a run.

* `terminal_page` is what all text is laid out on: as wide as the terminal, in characters that its encoding has.
* `summary` prints a few lines per claim. `detail` prints one claim in full. `listing` prints the list of claims.
* `verdict_text` gives a verdict its colour. `sparklines` draws a figure in a few lines of text.
* `differences` prints what differs between two reports.
* `measured_page` prints measured weights.
* `progress` shows the progress of a run, as a live line or as plain lines. `waiting` shows one line for long work that
  has no progress of its own.
* `broken_pipe` lets a command finish when the reader of its output has left.
"""
