"""Songs to files: MIDI, MusicXML, LRC, the mix, sounds of phrases."""
