"""How close generated phrases are to real ones.

Read it in this order: `tally` counts a batch of rolls once; `features` (those of the headline overlap), `musegan` and
`phrases` (figures of each phrase, right) and `published` (the same as the original code has them) read its counts;
`figures` lists them all. `distances` compares the distributions of two sets, `bootstrap` says how far that would move
had other songs been drawn, `floors` makes the music that the figures are read against, `copying` looks for training
phrases in generated ones, `classifier` learns to tell two sets apart. Whether what is made depends on what was given
is asked in `accompaniment`: `pairs` says what a given track and an accompaniment have in common, and `matcher` learns
from it which belong together. Whether it is what was wished for is asked in `control`.
"""
