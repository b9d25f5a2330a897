"""Rankings and files to numbers."""
