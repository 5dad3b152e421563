"""Structure of songs: what bars have in common with one another, sections, and plans that are read from them."""
