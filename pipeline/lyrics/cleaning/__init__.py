"""Cleaning of texts before they are learnt from: markup, time stamps, chords and what lyric sites add are no words."""
