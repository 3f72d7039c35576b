"""Measures and series that a claim declares itself, as data, for runners that record quantities.

A runner takes them as its parameters `measures` and `series`, and says with a function `quantities(params)` which
quantities it can record. The block `measures:` of a claim file is the value of the parameter.

* `measures` is the model of a measure and of a series: keys, rules, and the measure that `dynamics/observed` computes.
* `quantities` describes what a runner can record, and checks every name and index in the formulas.
"""
