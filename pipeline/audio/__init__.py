"""Recordings to notes and notes to sound."""
