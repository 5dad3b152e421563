"""Generator and discriminator of the default design.

Layers, the autoregressive decoder with its history and note heads, resampling, and checkpoints of all designs.
"""
