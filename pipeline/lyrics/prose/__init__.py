"""The prose writer: essays and books sampled from the language model, within rules."""
