"""The drawn sample: frames, stages, draws, villages and their households."""
