"""Jupyter notebooks of trained models: what each learnt from, how, how well, and cells to make music and words with."""
