"""One catalogue of signals; logs and live views are fed from it."""
