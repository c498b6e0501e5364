"""Reports as paper and files."""
