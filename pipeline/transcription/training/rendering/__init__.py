"""Sound that transcription is trained on: MIDI files by SoundFonts, drums by sampled and synthetic kits."""
