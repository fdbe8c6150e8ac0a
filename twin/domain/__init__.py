"""Nouns, messages, commands, ids and units that every room shares; standard library and numpy only."""
