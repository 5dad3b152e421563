"""Songs: a song and its file, its form and plan, requested conditions, key and tempo, performance, sung syllables."""
