"""The gallery, `outputs/index.html`: every run of a folder, what made it, and the command that makes it again."""
