"""Files that people already have, read into rooms, things, members and books."""
