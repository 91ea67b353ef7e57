"""Law as pure functions: days, deadlines, notification, money, names, financing types, interest.

No Django, no database, no clock.
"""
