"""Tensors, arrays and runs: what every other package of `dynamics` builds on.

The first dimension of a tensor is that of the runs. The results of a run must be bitwise identical alone and in any
batch.

* `arrays` converts between torch's tensors and numpy's arrays.
* `per_run` applies a function to one run at a time, where a batched result would depend on the batch.
* `processor` keeps decompositions of a few matrices, and computations for scipy, on the processor.
* `progress` reports how far a run is when its work has several parts.
* `records` chooses the steps at which a training run is recorded and stacks the records into series.
"""
