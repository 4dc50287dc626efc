"""From what readers get to see to text; pure functions."""
