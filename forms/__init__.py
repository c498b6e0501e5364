"""What we ask, as data: questionnaires, their rules, and what counts as an answer."""
