"""Who changed what and when, written so that nobody can change it afterwards without being found out."""
