"""Early signs: problems found before the first complaint (F43)."""
