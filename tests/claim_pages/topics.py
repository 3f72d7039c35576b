"""The topics of the claims, in the order of the index: each has a package of runners, and a page in `claims/`."""

from __future__ import annotations

from typing import NamedTuple


class Topic(NamedTuple):
    """A topic: its title, what its claims are about, and the claim whose first figure stands on its page."""

    title: str
    about: str
    shown: str


TOPICS = {
    "classification": Topic(
        "Deep linear classifiers",
        "A deep linear network with one output separates two classes. Training aligns its layers, and its predictor "
        "tends to the direction of the maximum margin.",
        "max-margin-direction",
    ),
    "one_neuron": Topic(
        "Networks with a one-neuron layer",
        "One hidden layer has one neuron, so the product of the layers always has rank one. The claims say where "
        "training ends, how fast it gets there, and how long it stays near a saddle.",
        "one-neuron-escape-time",
    ),
    "pathways": Topic(
        "Parallel paths",
        "Several deep linear networks, the paths, add up to one matrix. With small steps one path takes a whole mode "
        "of the target; with large steps the paths share it.",
        "symmetry-restoration",
    ),
    "modes": Topic(
        "Modes learned one after another",
        "A mode is a pair of singular vectors of the target with its singular value. From a small initialization a "
        "deep linear network learns the modes one after another.",
        "sigmoidal-mode-dynamics",
    ),
    "factorisation": Topic(
        "The product of the layers",
        "The product of balanced layers obeys an equation of its own, which favours large singular values and so a "
        "product of low rank.",
        "depth-widens-singular-gaps",
    ),
    "flat_minima": Topic(
        "Flat minima",
        "Many weights have the same product. The claims say how small the sharpness, which is the largest eigenvalue "
        "of the Hessian of the loss, can be among them.",
        "flattest-minima",
    ),
    "spherical": Topic(
        "Spherically symmetric inputs",
        "If the inputs have no preferred direction, the gradient of the expected loss has a simple form. The claims "
        "say how fast the predictor turns towards the teacher.",
        "spherical-directional-rate",
    ),
    "representation_cost": Topic(
        "Representation cost",
        "The representation cost of a linear map is the smallest squared norm of weights that realize it. Weight decay "
        "finds such weights.",
        "representation-cost-exponent",
    ),
    "training_clocks": Topic(
        "Training clocks",
        "The claims say how long training takes until the loss has fallen to a given value, and until the network "
        "classifies new data correctly.",
        "classifier-clock",
    ),
    "activations": Topic(
        "Networks with activations",
        "Some laws of linear networks also hold in networks with ReLU or other homogeneous activations, and some hold "
        "only in a part of such a network.",
        "relu-linear-head-rank-one",
    ),
    "predictive_coding": Topic(
        "Predictive coding",
        "In predictive coding every layer has its own error. The claims compare its learning signal with that of "
        "back-propagation, with and without Lagrange multipliers.",
        "pcalm-ballistic-credit",
    ),
    "self_supervision": Topic(
        "Local self-supervised learning",
        "Every layer minimizes a contrastive loss of its own. The claims compare its gradients with those of "
        "back-propagation.",
        "direct-feedback-is-closer",
    ),
}
"""The name of a package of runners -> its topic."""
