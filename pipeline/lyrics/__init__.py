"""Words of songs, essays and books: corpus, language model, phonetics, writers, the editor at the terminal, alignment."""
