"""What holds for every test: hypothesis keeps no time, because machines that share their cores have none to keep."""

from hypothesis import settings

settings.register_profile("twin", deadline=None)
settings.load_profile("twin")
