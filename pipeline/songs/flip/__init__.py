"""Flipping a record (sampling): a recording or a score as a record, its loops, and how they are fitted into a song."""
