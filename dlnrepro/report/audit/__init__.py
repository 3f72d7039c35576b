"""Audits, as a reader sees them: in the terminal, and as files.

* `audit_page` prints an audit in a terminal: in full, or in a few lines. `strips` draws its runs in a row of text.
* `files` writes audits to files by their suffix: `audit_html` makes the page, `audit_markdown` the Markdown.
"""
