"""People, the parties they act for, and their mandates."""
