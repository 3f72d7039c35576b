"""Networks that are not linear: ReLU networks with a linear head, and layers with homogeneous activations.

Papers: Le, Jegelka 2022 (arXiv:2201.11968) for ReLU networks with a linear head; Du, Hu, Lee 2018 (arXiv:1806.00900)
for the quantities that gradient flow conserves.

Symbols: phi is the activation, homogeneous if phi(z) = z phi'(z); M_k = W_{k+1}^T W_{k+1} - W_k W_k^T is the imbalance
of neighbouring layers, which gradient flow conserves in the head.

* `clusters` draws four clusters of points in the plane, with labels that a line separates, or that no line does.
* `functions` computes outputs and gradients of networks with an activation between layers.
* `plain_network` computes the same gradients by a second route, torch's own activations and autograd.
* `conserved_balance` measures how far gradient descent, at halved step sizes, conserves the balance of such networks.
* `relu_network` holds networks of linear, ReLU and skip layers, and their flow along -grad log R.
* `chebyshev` solves that flow by Runge-Kutta-Chebyshev steps, with many runs at once.
* `relu_flow` draws the initialization of a ReLU network, follows its flow, and finds the neurons that stay active.
* `head_excess` computes the distance of the layers of the head from rank one that the imbalances predict.
"""
