"""What a sweep found: a map in the terminal, a table in a file, and a figure.

* `swept` is what there is to show: the points, the changes of the verdict, and where theory expects them.
* `sweep_page` shows it in the terminal, `sweep_files` writes it as CSV and JSON, and `sweep_figure` draws it.
"""
