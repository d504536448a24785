"""Who may borrow what is lent only to people who have learnt to use it."""
