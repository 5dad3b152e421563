"""Essays and books written freely from the language model, within rules."""
