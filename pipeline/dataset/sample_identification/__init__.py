"""Sample identification: which bars of a sample a song plays, how they were moved, and where they return."""
