"""The reach of the general runner `linear_network`: claims of this project, written for it in YAML alone.

A file `claims/<id>.yaml` holds:

* `special`: what it changes in the claim's quick setup, so that its own runner is short;
* `setup`: the settings of `linear_network`; the names and defaults are in `dlnrepro/settings/linear_network/`;
* `measures`: measures of the claim's own runner, under their own names, as a claim declares them; a name that a
  quantity or a setting has too is followed by `_`;
* `absolute`: measure -> the absolute difference that is allowed too, for a measure that is itself a difference;
* `arms`: name -> `special` and `setup` of the arm, on top of the two above; `remove` takes settings away
  from `setup`, and `without` names measures that the arm does not compare.

`test_reach` runs both runners with the same seeds and compares the numbers to 1e-9 relatively. The quantities that
measures may name are those of `dlnrepro.dynamics.general.quantities`, and every number of the setting; `strengths` are
those that the run drew.
"""
