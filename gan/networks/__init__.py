"""Generator and discriminator of the default design: layers, note heads, the phrase encoder, and checkpoints of all designs."""
