"""The pages of those who answer, and what carries their answers in."""
