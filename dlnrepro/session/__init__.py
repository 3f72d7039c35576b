"""One whole invocation: from a selection of claims to a stored report. The command line and Python share it.

* `run` prepares the claims, computes and judges them, and stores the report.
* `schedule` is the loop that computes cells, each once, in the order of the claims.
* `execution` finds stored cells or computes them, claim by claim, and makes the record of each claim.
* `replay` runs a stored report again from its record alone.
* `references` says which claims of a reference have to be computed again, and updates it.
* `faults` writes the traceback of a fault of this program to a file and makes one line of it.
"""
