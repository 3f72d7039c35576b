"""The command line's commands: one module per command, which defines `command`.

A module imports what is slow only when its command runs, so that help, lists and stored reports appear at once.

* `list`, `show` and `check` read claim files: all claims, one claim, and whether files are valid.
* `run` trains, measures, judges and reports. `dry_run` prints what `run -n` would compute.
* `report` shows a stored report again, `replay` computes it again, and `diff` compares two of them.
* `new` writes a first claim file. `schema` prints the JSON schema of a claim or a report.
* `clean` shows what is stored and removes what can no longer be used.
* `completion` prints the script for a shell; `candidates` finds the words that the shell then offers.
* `options` holds the options that several commands share, and reads `-s KEY=VALUE` and `-s ARM.KEY=VALUE`.
"""
