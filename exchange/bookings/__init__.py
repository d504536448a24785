"""What is free, who asked for it, who decided, who has it."""
