"""Drum transcription: a small network on band power, trained on rendered drums."""
