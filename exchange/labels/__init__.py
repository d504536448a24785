"""Labels to stick on what is lent."""
