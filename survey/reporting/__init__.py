"""Reports: which there are, what they are asked of, who asks for them, and how they are made."""
