"""What companies, the policy desk and the business climate's supervisors say to each other (F44-F49)."""

from __future__ import annotations
