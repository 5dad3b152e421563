"""Words: corpus, language model, verse form."""
