"""What a lender accounts for: a year of loans at the council's rate, how much is used and by whom, what was refused."""
