"""What stands at a counter: kiosks, posters, links and calls."""
