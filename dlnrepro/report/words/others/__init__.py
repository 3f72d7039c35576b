"""Our numbers next to those of others, in words.

* `printed` writes numbers that others have printed, ours, and whether the two agree.
"""
