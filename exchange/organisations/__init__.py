"""Associations, firms, schools, the town: parties that several people act for."""
