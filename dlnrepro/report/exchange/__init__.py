"""A report in the formats of other programs.

* `markdown` writes GitHub-flavoured Markdown, for a comment on a pull request or the summary of a job. `markup` makes
  the words of a claim safe inside it.
* `junit` writes JUnit XML, which systems of continuous integration read.
* `github` writes annotations and the job summary when the program runs inside a GitHub job.
"""
