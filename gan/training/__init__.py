"""Adversarial training: losses and penalties, batches, augmentation, the trainer, monitoring, several processes, precision."""
