"""Runners on deep linear classifiers with one output, on two separable classes.

Papers: Ji, Telgarsky 2019 (arXiv:1810.02032); Soudry et al. 2018 (arXiv:1710.10345). R is the risk.

* `separable_classification` trains until log(1/R) reaches up to 1e12 and measures layers and predictor.
* `one_layer_margin` trains one layer and measures the constants of its growth.
* `opposed_start` starts on the wrong side of the data, where the theorem does not apply.
* `ruled_descent` trains with the step-size rule of Ji and Telgarsky.

The mathematics lies in `dlnrepro.dynamics.classification`.
"""
