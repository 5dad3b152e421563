"""Scores in one neutral form: readers of MIDI, MusicXML, ABC and piano rolls; keys, tracks, grid, downbeats, notes."""
