"""Training of what tells a band apart: instruments, the tune, chords, and how sure each note is."""
