"""Interpolation between phrases, variations of a phrase, and GAN inversion to find its latents."""
