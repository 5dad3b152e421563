"""Recordings to notes on a beat grid: pitches, bass, beats, drums, and the cache of what was transcribed."""
