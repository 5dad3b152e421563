"""Chords of half bars: symbols as people type them and notation has them, and recognition from notes."""
