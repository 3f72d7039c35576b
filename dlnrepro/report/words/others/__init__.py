"""Numbers and networks that others have made, in words.

* `ignored` says which biases of a network the measures of its weights ignore.
* `printed` writes numbers that others have printed, ours, and whether the two agree.
"""
