"""What is kept of results, and what it is worth later.

Verdicts are always computed again from stored numbers. A number is used again only if nothing that could change it has
changed.

* `cell_store` keeps the numbers of single cells, under a key that hashes all that could change them.
* `record` holds what `report.json` contains, and decides the exit code. `provenance` holds what produced it:
  versions, code, machine, command.
* `older_records` converts a report of an earlier schema when it is read.
* `report_store` writes and reads whole reports. `manifest` lists the hashes of a report's files.
* `joining` makes one report of several. `references` keeps one report per claim, whose file changes only with it.
* `last_results` keeps how each claim came out the last time, in each variation.
* `figure_data` makes the lines of figures from series; `thinning` chooses which of their points are kept.
* `staleness` says what has changed since a stored number was computed.
* `comparison` compares two reports.
* `storage` measures what is kept, and removes what no claim can use any more.
"""
