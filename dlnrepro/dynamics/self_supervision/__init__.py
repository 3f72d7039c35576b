"""Layer-wise contrastive self-supervision, compared with back-propagation from the last layer.

Paper: Zihan, Delrocq, Gerstner, Bellec 2026 (arXiv:2601.21683).

Symbols: z^l are the activities of layer l for two views of S objects, B^l its feedback matrix, c the context (an
activity for the other view), and f the loss of a score z_i^T B c_i.

* `contrast` draws the views and finds the best feedback matrices.
* `gradients` computes the gradients of both methods by automatic differentiation.
* `distances` measures the distance between the gradients of two methods.
* `comparison` compares all layers of a network, each with its feedback and context, with back-propagation.
"""
