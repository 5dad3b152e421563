"""The command line before Hydra reads it: overrides quoted, mistakes told in a sentence."""
