"""Training and evaluation of the shipped weights: rendered examples, the beat classifiers, the drum network, F1."""
