"""Texts of any kind and size: read, split, encoded for the language model."""
