"""Runners on layer-wise contrastive learning.

Paper: Zihan, Delrocq, Gerstner, Bellec 2026 (arXiv:2601.21683).

* `local_self_supervision` compares the gradients of every layer's own loss with those of back-propagation.

The mathematics lies in `dlnrepro.dynamics.self_supervision`.
"""
