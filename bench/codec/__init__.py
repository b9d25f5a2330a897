"""Vectors to bits and back."""
