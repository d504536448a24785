"""Keys and badges of a lender: what they open, and which loan has them."""
