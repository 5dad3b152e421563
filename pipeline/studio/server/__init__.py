"""The studio's server on 127.0.0.1: requests of its own page, sound of windows of a song, files given and taken."""
