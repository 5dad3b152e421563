"""Features of phrases that a musician can read off the notes: moves of lines, intervals between tracks, onset patterns.

`lines` reads the outer lines of each track from rolls; `windows` describes two beats at a time and `phrases` whole
phrases, for the classifiers of `pipeline.evaluation.tree_tests`; `tells` names what a musician hears at once.
"""
