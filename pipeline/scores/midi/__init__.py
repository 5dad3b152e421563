"""MIDI files read and written: chunks, events read by loops that numba compiles, what messages do to channels, sustain
pedals.
"""
