"""The mathematics of deep linear networks: pure functions of weights that read no claim and write no file.

Weights are lists W_1 .. W_L of tensors of shape (runs, ..., rows, columns), float64; a run is one seed. L is the depth.

Packages that several topics use, lowest layer first:

* `compiled` holds kernels in C, and compiles them once on each machine.
* `tensors` makes arrays and tensors of one another and keeps a run independent of its batch.
* `networks` computes what weights determine: product, imbalance, sharpness, tangent kernel, gaps.
* `starts` draws targets and initializations. `training` holds gradient descent and gradient flow.
* `fits` fits slopes and finds zeros. `risks` holds the losses. `stiff_flow` follows a flow to a risk of exp(-1e12).
* `observed` computes the measures that a claim declares by formulas.

Topics, each with the same name in `dlnrepro/runners/` and in `tests/`:

* `pathways`: parallel paths that share modes, at step sizes above the stability limit.
* `one_neuron`: networks whose first hidden layer has one neuron.
* `classification`: deep linear classifiers on separable data, and their maximum margin.
* `training_clocks`: how long training and generalisation take.
* `activations`: ReLU and homogeneous activations.
* `modes`: modes that are learned one after another.
* `factorisation`: the motion of the product itself, and the rank that depth prefers.
* `flat_minima`: the least sharpness of a global minimum.
* `spherical`: data with a spherically symmetric distribution.
* `representation_cost`: the least norm of weights that realise a linear map.
* `predictive_coding`: inference by predictive coding.
* `solutions`: weights at zero loss with the least norm or sharpness.
* `checkpoints`: weights that somebody trained, read from files and measured.
* `self_supervision`: layer-wise contrastive learning.
* `general`: any deep linear network, on any data, with every quantity that can be recorded; it may use all other
  topics.
"""
