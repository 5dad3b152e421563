"""Adversarial training.

Losses and penalties, batches, augmentation, the trainer, monitoring, several processes, precision.
"""
