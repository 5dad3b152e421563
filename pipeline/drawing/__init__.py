"""Pictures: palette, canvas, piano rolls, structure, learning curves."""
