"""Estimates of any CSV file by a design file: what ``sipas estimate`` does."""
