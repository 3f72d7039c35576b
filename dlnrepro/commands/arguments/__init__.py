"""The words of a command line: options that several commands share, and the words that a shell completes.

* `options` holds the options that several commands share, and reads `-s KEY=VALUE` and `-s ARM.KEY=VALUE`.
* `candidates` finds the words that a shell offers: ids of claims, tags, runners, settings and reports.
"""
