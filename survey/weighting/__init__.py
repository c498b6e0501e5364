"""Weights as people make them: margins, settings, report, and the design file."""
