"""What a reader sees of a report: layouts of what the verdict decided, which decide nothing themselves.

Everything is made from the record that `report.json` holds, so that a stored report can be shown again.

* `words` holds the sentences, numbers and mathematical notation that all formats share.
* `terminal` lays out reports, claims and differences as text, and shows progress.
* `drawing` draws figures and strip plots as SVG, PNG or PDF.
* `page` makes the HTML page: one card per claim, from the templates in `page/templates`.
* `audit` lays out audits, in the terminal and as files.
* `sweep` shows what a sweep found: a map in the terminal, a table in a file, and a figure.
* `exchange` writes the formats of other programs: Markdown, JUnit XML, GitHub's annotations.
* `delivery` sends a report to the terminal, to standard output as JSON, and to files by their suffix.
"""
