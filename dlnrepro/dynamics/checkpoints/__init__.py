"""Weights that somebody trained: read from files, and measured by what the theory of deep linear networks speaks of.

A chain of linear layers W_1 .. W_L is found in a file, whatever program wrote it. Nothing in a file is executed.

* `entries` describes the entries of a file of weights, and refuses a file by one line.
* `torch_file`, `safetensors_file` and `numpy_file` read one format each, and `weight_files` reads any of them.
* `linear_layers` finds the chains of linear layers among the entries.
* `layer_measures` measures layers: norms, spectra, ranks, alignment, imbalance.
* `data_file` reads inputs and targets, and `data_measures` measures loss, margin and sharpness on them.
* `measured` measures every chain in a file. `series` follows measures along a series of checkpoints, and `file_order`
  puts the files of a series in order.
* `ignored_biases` finds the biases that are not zero and that these measures ignore.
"""
