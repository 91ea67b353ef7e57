"""Law as pure functions: days, deadlines, notification, money, names. No Django, no database, no clock."""
