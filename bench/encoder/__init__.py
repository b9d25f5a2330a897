"""Text to token vectors."""
