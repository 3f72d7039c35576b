"""From a claim file to a `Claim`, or to lines that say what is wrong with the file.

An error is one line: `file:line:column: key: expected ..., found ...; did you mean ...?`. All errors are found at once.
The code calls them faults.

* `document` reads YAML strictly and keeps the line and column of every key and value.
* `schema` holds what a claim consists of: its source, setup, arms, criteria and figures. `interval` holds the bounds of
  a criterion and writes them as text. `thresholds` says what the names of a threshold's formula stand for in an arm.
* `controls` says what each control of a claim changes: hypotheses, or only the formula.
* `loader` makes a `Claim` of a file and checks it against its runner. `messages` describes the errors that pydantic
finds.
* `catalogue` finds claim files by path or id. `selection` chooses claims by their words or tags. `expression` reads an
  expression of words or tags, such as `core and not slow`. `gathering` uses all of these to find the claims of a
  command, and also returns the files that are not valid.
* `listed` has what a list shows of each claim, and keeps it for the next list.
* `policy` has the rules of `dlnrepro check --strict`, which a valid claim may still break.
* `reach` applies `-s KEY=VALUE` to the arms of a claim. `parameters` computes the settings of an arm that are formulas,
  and checks all settings against the runner.
* `declared` checks the measures and series that a claim declares against the quantities that its runner records.
* `printed` reads the numbers that others have printed, with all their digits.
* `scaffold` writes first files: a claim for a runner, and a runner outside this program.
"""
