"""MuseGAN and its successors as they were published, to be compared with: the designs other than `albumgan`."""
