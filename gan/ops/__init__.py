"""Fast kernels on plain tensors, each beside the plain reference in the same file that a test holds it to.

Nothing here knows the rest of `gan`. Streams are `[batch, time, tracks, 2, pitch_range]`, stream 0 *sounding*, stream 1
*onset*, see `gan.rolls`.
"""
