"""What every test shares: how hard Hypothesis tries."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# No deadline and no complaint about slow data: two busy cores say nothing about the code. No
# database: a failure is printed with the way to repeat it, and nothing is left in the checkout.
_shared = settings(
    deadline=None,
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("quick", _shared, max_examples=50)
# The gate judges a change by the same examples each time.
settings.register_profile("gate", _shared, max_examples=50, derandomize=True)
# For a long look at one test: ./dev test tests/unit/dsl --hypothesis-profile=thorough
settings.register_profile("thorough", _shared, max_examples=2000)
settings.load_profile("gate" if os.environ.get("CI") else "quick")
