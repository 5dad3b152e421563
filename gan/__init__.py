"""Generative adversarial networks on piano rolls: tensors in, tensors out.

Read it like the paper: `spec`, `settings`, `statistics`; `latents`, `heads`, `generator`; `reader`, `discriminator`;
`losses`, `augmentation`, `trainer`, `reports`; `metrics`. `layers` and `rolls` are what they stand on. Nothing here
opens a file, knows a path or imports anything but torch and the standard library.
"""
