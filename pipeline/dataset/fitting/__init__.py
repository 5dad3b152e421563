"""Fitting of the small models that files are read with: commands that take folders of music and print weights."""
