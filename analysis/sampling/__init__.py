"""Planning and drawing a sample: how many persons, from which strata, and exactly whom."""
