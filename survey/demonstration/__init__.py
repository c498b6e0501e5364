"""A made-up instance to try everything on: its waves, its paper, its office."""
