"""Statistics and reports: design-based estimates of satisfaction, with no web in sight."""
