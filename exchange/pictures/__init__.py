"""Pictures of what is lent."""
