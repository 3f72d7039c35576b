"""A claim at many settings: the axes of a sweep, its points, and where its verdict changes.

* `axes` reads the values over which one or two parameters are swept.
* `points` makes the runs of all points, and collects what came out at each.
* `boundaries` finds where the verdict changes along one parameter, and halves the distance again and again.
"""
