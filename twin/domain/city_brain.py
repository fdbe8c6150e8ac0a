"""What the city brain hears and says: readings of channels, alerts, confirmations (F5-F12)."""
