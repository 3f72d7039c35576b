"""Pictures: the figures that a claim declares, and one strip plot per criterion, drawn by matplotlib.

* `figures` draws a figure: medians over runs, their range, theory, guide line and level.
* `strip_plot` draws a strip plot: every run of a criterion as a point, with the interval that decides.
* `canvas` holds the size, the colours and the writing of every picture. `svg` shortens the SVG that matplotlib writes.
* `axes` prepares axes and their ticks. `legend` chooses the stroke of each arm and draws the legend.
* `guide_line` places a guide line of given slope where it covers no curve.
* `colours` holds the colours, on white and on dark pages.
* `measured_figure` draws the spectra and the alignment of measured weights.
* `figure_folder` writes the figures of a report into a folder.
"""
