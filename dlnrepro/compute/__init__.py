"""From an arm of a claim to numbers, in this process or in others.

A cell is one arm with its parameters and seeds. Its numbers are bitwise identical in every process that computes
it, for every number of workers, and whatever the caller has done before.

* `variation` says how a computation deviates from the claim file. `plan` makes the cells of a claim in a variation.
* `cell` holds a cell and its numbers. `engine` computes a cell: it makes the generators and calls the runner.
* `executor` says where cells are computed: in this process or in processes of this machine. It defines what an executor
  on other machines has to offer.
* `processes` computes in forked processes and in this process, `elsewhere` in fresh interpreters.
* `parts` cuts cells into parts of fewer runs for several workers, and joins their numbers.
* `child` computes one part in a process of its own, and `trace` finds where a function was when its process ended.
* `channel` carries messages between processes. `orphans` ends the processes that a runner has started and not ended.
* `surroundings` sets the global state of a process for a runner and restores it. `arithmetic` names what determines the
  last bits: versions, processor, device, math libraries.
* `device` chooses the processor or a GPU. `limits` reads how much memory and how many cores may be used.
"""
