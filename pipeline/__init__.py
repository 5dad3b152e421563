"""Everything around the GAN: music, sound, words, files, settings and the stages that join them."""
