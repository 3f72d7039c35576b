"""Kernels in C for what is computed too often for Python, compiled once on each machine.

Every kernel has a route in Python that computes the same numbers up to rounding. It is used where there is no C
compiler, and the tests compare the two.

* `library` compiles a source with the machine's C compiler, keeps it in the user's cache folder, and loads it.
* `descent.c` takes steps of gradient descent with the squared loss, with networks side by side, and `aligned.c`
  takes those of aligned paths.
* `margin_flow.c` is the flow of `stiff_flow.margin_flow` with its Jacobian and its path.
"""
