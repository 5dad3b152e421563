"""Sound in and out: decoding recordings, synthesizers and SoundFonts, loudness and limiting, sound files."""
