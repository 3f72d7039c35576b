"""Any deep linear network: its layers and paths, its loss, its training, and every quantity that can be recorded.

    M(theta) = sum_p W_(p,L_p) ... W_(p,1),    theta -> R(M(theta))

The layers W_(p,l) are filled from the trained parameters theta: they are parameters themselves, or diagonal, or one
matrix for all layers, or the identity plus a parameter. The loss R depends on the parameters through the matrix M
alone. So one gradient dR/dM and one chain rule serve every network and every loss.

* `architecture` fills the layers from the parameters and pulls a gradient on M back to the parameters.
* `losses` holds the squared loss on second moments and the losses on samples, with their gradients on M.
* `plain` computes a loss by a plain forward pass of samples and its gradient by autograd, as a second route.
* `margins` compares predictors of two classes with their maximum margin.
* `starts` holds the initializations that only the general runner has.
* `rules` makes the direction of a step from a gradient: momentum, Adam, signs, orthogonal steps, and others.
* `noise` draws minibatches and noisy labels, one draw per step and run.
* `kernel` takes the steps of the squared loss by the compiled kernel, where it knows the network.
* `flow` follows gradient flow of the parameters of any network.
* `training` takes the steps in stages, or follows gradient flow, and records quantities on the way.
* `checks` compares the gradients of the training with those of `plain`.
* `grids` chooses the steps or times that are recorded.
* `population` is the loss of all inputs with a spherically symmetric law.
* `quantities` computes each recorded quantity from the parameters, and `shapes` gives its shape.

Conventions: parameters are lists of tensors of shape (runs, ..., rows, columns). If all paths have the same widths, a
layer holds all paths, in a dimension before the rows; if they do not, the layers of the paths follow one another.
"""
