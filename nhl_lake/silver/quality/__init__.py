"""Find games whose pages disagree or are incomplete."""
