"""The community platform: reports, answers, neighbour points."""
