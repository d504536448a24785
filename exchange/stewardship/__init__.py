"""Treasurers and administrators put right, set limits, open and close accounts; with a reason, never by erasing."""
