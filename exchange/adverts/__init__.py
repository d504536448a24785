"""Neighbours say what they offer and what they look for, and write to each other without showing an address."""
