"""Sound in and out: decoding, stretching, synthesizers and SoundFonts, loudness and limiting, sound files."""
