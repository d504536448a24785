"""What is lent is closed for a time: works, repair, its lender's own use."""
