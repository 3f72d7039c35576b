"""Formats of a report: they lay out what the verdict decided, and decide nothing."""
