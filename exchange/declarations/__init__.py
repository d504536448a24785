"""Neighbours say what they exchanged; who was helped agrees; the books write it."""
