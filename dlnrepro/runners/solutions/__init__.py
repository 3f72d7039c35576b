"""Runners of weights that solve a regression exactly; nothing is trained.

* `solution` draws such weights, moves them to where the norm or the sharpness is least, and measures them.
"""
