"""Beat and downbeat tracking: onsets, a pulse through them, and the metre it stands for."""
