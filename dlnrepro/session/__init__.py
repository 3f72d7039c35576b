"""One whole invocation, from a selection of claims to a stored report, for the command line and for Python.

* `run` prepares the claims, computes and judges them, and stores the report.
* `known_plans` plans the runs of claims and keeps the plans, and `late_processes` computes cells; with both, a run of
  stored numbers does not import torch.
* `schedule` is the loop that computes each cell once, in the order of the claims.
* `first_runs` computes the first run of a function that is a runner, before its long runs.
* `execution` finds stored cells or computes them, claim by claim, and makes the record of each claim.
* `audit_job` plans the runs of an audit, `audit_pieces` joins those that are trained together, `auditing` computes
  them, claim by claim, and `audit_table` keeps a table of audits up to date.
* `sweeps` runs a claim at many settings, and finds where its verdict changes.
* `replay` computes a stored report again from its record alone.
* `references` says which claims of a reference have to be computed again, and updates it.
* `faults` writes the traceback of an error of this program to a file, and describes the error in one line.
"""
