"""Facts of companies, policies, payments, visits and the business climate (F44-F49)."""

from __future__ import annotations
