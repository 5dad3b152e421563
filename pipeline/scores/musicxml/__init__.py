"""MusicXML files (plain or zipped, in parts or in measures) to scores: instruments, percussion, tempos, repeats."""
