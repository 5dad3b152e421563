"""Scores and piano rolls: readers and writers, instrument families, phrases, song form, the stored data set."""
