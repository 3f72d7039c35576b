"""Numbers that others have printed, as a claim file gives them.

* `numerals` reads a number with all its printed digits, and gives the unit of the last one.
* `faults` finds printed numbers that cannot be compared, and keeps their texts as they are written.
"""
