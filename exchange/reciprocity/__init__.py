"""Dated rules that say what a loan costs and who may have it; they are given facts and query nothing."""
