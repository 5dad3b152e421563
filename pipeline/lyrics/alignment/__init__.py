"""Syllables set to the notes of a melody by dynamic programming."""
