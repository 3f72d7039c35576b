"""Runners by their names, and the identity of each runner: a hash of everything that determines its numbers.

A runner comes with the program (`dlnrepro.runners`), or another package registers it under the entry-point group
`dlnrepro.runners`. Its identity covers the modules that it imports, directly or not, and those that the engine imports,
so that an edit makes only those numbers stale that depend on it.

* `functions` makes a runner of a plain function in a file next to a claim.
* `names` lists the runners and loads one by its name.
* `meanings` reads a runner's definitions of its measures, without running it.
* `sources` computes the hash of a runner.
* `imports` reads what a Python source imports, without running it.
* `plugin` finds the modules, data files and versions that a runner of another package depends on.
* `inputs` finds the files that settings name, and the digests of their contents.
* `kept` keeps JSON in the cache folder of the user, which need then not be computed at every start.
* `digests` hashes files, each only once as long as it does not change.
"""
