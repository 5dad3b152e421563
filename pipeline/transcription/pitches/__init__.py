"""Multipitch estimation: which pitches sound when, whatever plays them."""
