"""Generative adversarial networks on piano rolls: tensors in, tensors out.

Read it like the paper: `spec`, `settings`, `generator`, `discriminator`, `losses`, `augmentation`, `trainer`,
`metrics`. Nothing here opens a file, knows a path or imports anything but torch and the standard library.
"""
