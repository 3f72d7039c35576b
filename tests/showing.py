"""A report laid out in every format: what the program can read, it can show."""

from __future__ import annotations

from dlnrepro.archive.comparison import compare
from dlnrepro.archive.record import Report, judged_again, to_json
from dlnrepro.archive.staleness import without_stale_numbers
from dlnrepro.report.exchange.github import report_annotations
from dlnrepro.report.exchange.junit import junit
from dlnrepro.report.exchange.markdown import markdown
from dlnrepro.report.page.html import to_html
from dlnrepro.report.terminal.detail import record_page
from dlnrepro.report.terminal.differences import differences_page
from dlnrepro.report.terminal.summary import summary
from dlnrepro.report.terminal.terminal_page import TerminalPage


def show(report: Report) -> None:
    """Lay a report out in every format, judged as recorded and without its stale numbers."""
    for judged in (judged_again(report), without_stale_numbers(report, allow_inconclusive=False)):
        page = TerminalPage()
        for record in judged.claims:
            record_page(page, record)
        summary(page, judged)
        differences_page(page, compare(judged, report, 0.0, 0.0))
        differences_page(page, compare(report, judged, 1e300, 1e300))
        assert page.text()
        assert markdown(judged)
        assert junit(judged)
        assert to_json(judged)
        report_annotations(judged)
    assert to_html(judged_again(report))
