"""From a claim file to a `Claim`, or to lines that say what is wrong with the file.

A fault is one line: `file:line:column: key: expected ..., found ...; did you mean ...?`. All faults are found at once.

* `document` reads YAML strictly and keeps the line and column of every key and value.
* `schema` holds what a claim consists of: its source, setup, arms, criteria and figures. `interval` holds the bounds of
  a criterion and writes them as text.
* `loader` makes a `Claim` of a file and checks it against its runner. `messages` writes the faults that pydantic finds.
* `catalogue` finds claim files by path or id. `selection` chooses claims by their words or tags. `expression` reads an
  expression of words or tags, such as `core and not slow`. `gathering` makes of all this the claims of a command, and
  keeps the files that are not valid.
* `policy` holds the rules of `dlnrepro check --strict`, which a claim may break and still be valid.
* `reach` applies `-s KEY=VALUE` to the arms of a claim.
* `scaffold` writes a first claim file for a runner; `placeholders` finds values that the runner's parameters admit;
  `first_runner` writes a first runner outside the program together with its claim.
"""
