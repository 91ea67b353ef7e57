"""The preview's Servicekonto: a real OpenID Connect provider on loopback, with invented people. See README.md."""
