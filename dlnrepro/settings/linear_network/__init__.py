"""The settings of the general runner of deep linear networks, in groups by what they describe.

All settings are flat keys of a claim's `setup`, so that an arm changes one of them, `-s step_size=0.1` reaches it, and
a formula names it. A setting that a claim leaves out has the default that its description gives. The default always
stands for the absence of something, such as no weight decay, or for the plainest choice.

* `architecture` describes widths, paths, and how the layers are filled.
* `target` describes the target of a regression and the second moment of the inputs.
* `data` describes the kind of data, the samples, and the loss.
* `initialization` describes the weights at the start.
* `training` describes the method, its steps and its constants.
* `recording` describes the grid of records, and holds the measures that the claim declares.
* `kinds` has the types of fields that several groups use.
"""
