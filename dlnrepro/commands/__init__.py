"""The command line's commands: one module per command, which defines `command`.

A module imports slow libraries only when its command runs, so that help, lists and stored reports appear at once.

* `list` shows all claims, `show` shows one claim, and `check` says whether claim files are valid.
* `run` trains, measures, judges and reports. `dry_run` prints what `run -n` would compute.
* `audit` says how good each criterion of a claim is, and how sharp.
* `sweep` runs a claim at many settings, and shows where its verdict changes.
* `measure` measures weights that somebody trained.
* `report` shows a stored report again, `replay` computes it again, and `diff` compares two reports.
* `new` writes a first claim file. `schema` prints the JSON schema of a claim or a report.
* `clean` shows what is stored, and removes numbers that can no longer be used.
* `completion` prints the script for a shell.
* `arguments` holds the options that several commands share, and finds the words that a shell offers.
"""
