"""The service assistant 黄小政: questions in Chinese to items, guides, scenes and policies, or to a person (F42)."""
