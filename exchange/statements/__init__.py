"""A member reads what moved on their account."""
