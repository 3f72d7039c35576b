"""The stored results, and whether they can still be used.

Verdicts are always computed again from stored numbers. A stored number is used only if nothing that determines it has
changed.

* `cell_store` stores the numbers of single cells under a key, which is the hash of everything that determines them.
* `record` defines the contents of `report.json`, and decides the exit code. `provenance` says what produced it:
  versions, code, machine, command.
* `older_records` converts a report of an earlier schema when it is read.
* `report_store` writes and reads whole reports. `manifest` lists the hashes of a report's files.
* `joining` makes one report of several. `references` keeps one report per claim; its file changes only with the claim.
* `last_results` keeps the last result of each claim in each variation.
* `figure_data` makes the lines of figures from series; `thinning` chooses which of their points are kept.
* `staleness` says what has changed since the stored numbers were computed.
* `comparison` compares two reports.
* `reference_verdicts` judges a claim by the numbers of its reference, if they are still those of the claim.
* `audits` stores the newest audit of each claim, and keeps the table of audits.
* `storage` measures what is stored, and removes numbers that no claim can use any more.
"""
