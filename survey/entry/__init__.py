"""Paper forms into answers: keyed twice, scanned, compared, and how right that was."""
