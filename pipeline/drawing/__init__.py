"""Pictures: palette, canvas, piano rolls, structure, loops of records, learning curves."""
