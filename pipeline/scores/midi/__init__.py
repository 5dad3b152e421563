"""MIDI files read and written: chunks, events, what messages do to channels, sustain pedals; symusic reads what is
clean, a slower reading of every event the rest.
"""
