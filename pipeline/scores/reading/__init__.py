"""Reading scores from files: whatever the format, one neutral form comes out."""
