"""A lender's office writes its rules, sees what they would have changed, and ends them."""
