"""What is printed for citizens: posters, stands and stickers (the only rooms with reportlab)."""
