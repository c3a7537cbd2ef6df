"""What one operation costs in instructions: see README.md."""
