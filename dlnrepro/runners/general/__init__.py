"""Runners whose network, data, training and measures a claim describes in YAML alone.

* `linear_network` trains any deep linear network and records what the measures of the claim name.
"""
