"""Generator and discriminator of the default design.

Layers, note heads, the phrase encoder, and checkpoints of all designs.
"""
