"""The guide vocal: speech by espeak-ng, sung on the notes by the WORLD vocoder."""
