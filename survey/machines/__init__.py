"""The doors of other programs: answers in, dossiers in, figures out."""
