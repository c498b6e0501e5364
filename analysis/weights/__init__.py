"""Weights after the draw: calibration to known totals, trimming, and adjustment for nonresponse."""
