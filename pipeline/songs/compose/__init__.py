"""Whole songs from a generator: phrases sampled and reranked section by section."""
