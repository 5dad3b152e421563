"""Whole songs: how near generated songs are to real ones in what no phrase shows.

`features` describes a song (bars that return, chords, key, tune, who plays), `structureness` how much of it is
explained by repetition, `comparison` holds songs against real ones, `nearest` finds the training song that a song is
nearest to.
"""
