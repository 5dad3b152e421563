"""The settings of every stage: dataclasses with their defaults, read from conf/ and the command line."""
