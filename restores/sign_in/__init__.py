"""Sign-in by an identity provider and the second step, by django-allauth.

Imported only if one of them is switched on: django-allauth is optional.
"""
