"""Registry of designs: which generator and discriminator `model.design` stands for."""

from __future__ import annotations

from gan.interface import PhraseDiscriminator, PhraseGenerator
from gan.musegan.binary import BinaryDiscriminator, BinaryGenerator
from gan.musegan.multitrack import (
    ComposerGenerator,
    HybridGenerator,
    JammingDiscriminator,
    JammingGenerator,
    JointDiscriminator,
)
from gan.musegan.tutorial import TutorialDiscriminator, TutorialGenerator
from gan.networks.discriminator import Discriminator
from gan.networks.generator import Generator

NETWORKS: dict[str, tuple[type[PhraseGenerator], type[PhraseDiscriminator]]] = {
    "albumgan": (Generator, Discriminator),
    "jamming": (JammingGenerator, JammingDiscriminator),
    "composer": (ComposerGenerator, JointDiscriminator),
    "hybrid": (HybridGenerator, JointDiscriminator),
    "binary": (BinaryGenerator, BinaryDiscriminator),
    "tutorial": (TutorialGenerator, TutorialDiscriminator),
}
