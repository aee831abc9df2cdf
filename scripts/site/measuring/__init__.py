"""How good the built site is for those who read it, and how long those who write it wait. Measured, not promised."""
