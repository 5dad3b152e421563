"""Metrics: how close generated phrases are to real ones.

Read it in this order: `counts` counts the notes of a batch of rolls once; `features` (those of the headline overlap)
and `musegan` (MuseGAN's metrics, corrected and as published) read its counts; `figures` lists them all. `distances`
compares the distributions of two sets (overlapping area, KL divergence, Fréchet distance), `bootstrap` says how far
that would move had other songs been drawn, `baselines` makes the music that the figures are read against (shuffled
tracks, random notes), `copying` looks for training phrases in generated ones, `two_sample_test` trains a classifier to
tell two sets apart. `accompaniment` asks whether what is generated depends on the track that was given,
`attribute_control` whether it has the attributes that were requested; all three learn by `classifier_training`.
"""
