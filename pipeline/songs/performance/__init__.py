"""Performance: velocity and timing of each note as players do it, learned from performances."""
