"""The physics of deep linear networks: pure functions on weights, which know no claims and no files."""
