"""What signal control and the cloud control platform hear and say (F19, F20, F27)."""
