"""Training of the shipped weights and evaluation of transcriptions: rendered examples, classifiers, drum network, F1."""
