"""How English words sound: pronunciation, syllables, stress, rhyme."""
