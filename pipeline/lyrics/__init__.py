"""Words of songs, essays and books.

Corpus, language model, phonetics, writers, the editor at the terminal, alignment.
"""
