"""Bits to files and back."""
