"""Instrument recognition in recordings: which family plays each note, and which notes are the tune."""
