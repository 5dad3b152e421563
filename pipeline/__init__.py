"""Everything around the GAN: music, sound, words, files, settings and the stages that join them."""

import os

# Torch reads it when it is first imported: large tensors are laid on large pages, which saves some 8 % of training.
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
