"""The journal and the tables around it: the only module that talks to the database."""
