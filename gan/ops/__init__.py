"""Fast kernels, each beside the plain PyTorch reference that a test holds it to."""
