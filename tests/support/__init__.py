"""What tests arrange with."""
