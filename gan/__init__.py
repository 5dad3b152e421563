"""Generative adversarial networks on piano rolls: tensors in, tensors out.

Reading order: `latents`, `conditions`, `networks.generator`, `networks.decoder`, `networks.heads`,
`networks.discriminator`, `training.losses`, `training.sequence_step`; `README.md` says more. They stand on `spec`,
`rolls`, `context` and `statistics`.
Nothing here opens a file, knows a path or imports anything but torch and the standard library.
"""
