"""What the small networks of transcription share: their files of weights."""
