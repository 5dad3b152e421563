"""Training of the shipped weights, and evaluation of transcriptions: examples, classifiers, drum network, F1."""
