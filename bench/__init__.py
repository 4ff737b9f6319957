"""How quick and how small, in figures: each beside its goal and its rivals."""
