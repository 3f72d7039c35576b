"""Runners: what trains networks and measures them, and never judges.

A claim names its runner by the stem of the runner's file; the packages below are topics and no part of the name. Each
runner defines `Params`, `MEASURES`, `SERIES` and `run`, in this order, and imports no other runner. The mathematics
lies in the package of the same topic in `dlnrepro.dynamics`.

* `pathways`: parallel paths at step sizes above the stability limit (Kim, Lee 2026).
* `one_neuron`: networks with a one-neuron layer (Eftekhari 2020; Chen, Lin, Zhang 2022).
* `classification`: deep linear classifiers on separable data (Ji, Telgarsky 2019; Soudry et al. 2018).
* `training_clocks`: how long training and generalisation take (Tan, Gai, Zhang 2026).
* `activations`: ReLU and homogeneous activations (Le, Jegelka 2022; Du, Hu, Lee 2018).
* `modes`: modes learned one after another (Saxe, McClelland, Ganguli 2014; Gidel, Bach, Lacoste-Julien 2019).
* `factorisation`: the motion of the product (Arora, Cohen, Hazan 2018; Arora, Cohen, Hu, Luo 2019).
* `flat_minima`: the least sharpness of a global minimum (Mulayoff, Michaeli 2020).
* `spherical`: spherically symmetric data (Lin, Sun, Zhang 2021).
* `representation_cost`: the least norm of weights that realise a linear map (Dai, Karzand, Srebro 2021).
* `predictive_coding`: inference by predictive coding (Seely, Gould 2026).
* `solutions`: weights at zero loss with the least norm or sharpness, of any linear network.
* `checkpoints`: weights that somebody trained.
* `self_supervision`: layer-wise contrastive learning (Zihan, Delrocq, Gerstner, Bellec 2026).
* `checkpoints`: weights that somebody trained, as a series of files.
* `general`: any deep linear network that a claim describes in YAML, with measures that the claim declares.
"""
