"""What holds for every test.

Hypothesis keeps no time, because machines that share their cores have none to keep, and tries the same examples every
time, so that a change is judged by the change; ``HYPOTHESIS_PROFILE=explore`` looks for new ones.
"""

import os

from hypothesis import settings

settings.register_profile("twin", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "twin"))
