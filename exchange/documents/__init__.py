"""What a lender asks people to give with what they ask for: certificates, statutes; their dates and their files."""
