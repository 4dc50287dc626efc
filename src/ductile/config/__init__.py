"""Settings: frozen, fully resolved, documented where they are declared."""
