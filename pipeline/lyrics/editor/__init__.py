"""Writing with a person at the terminal: commands, screen, session."""
