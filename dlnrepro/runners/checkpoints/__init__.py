"""Runners that measure weights that somebody trained, and train nothing.

* `checkpoint` measures a series of checkpoints of one network.
"""
