"""Django's classes that take their model in brackets for the type checker, and only for it."""

from typing import TYPE_CHECKING

from django import forms
from django.contrib import admin
from django.core import paginator

__all__ = ["ModelAdmin", "ModelForm", "Paginator"]

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin
    from django.core.paginator import Paginator
    from django.forms import ModelForm
else:

    def bracketed(kind: type) -> type:
        """A subclass of ``kind`` by the same name, whose brackets do nothing."""
        return type(kind)(kind.__name__, (kind,), {"__class_getitem__": classmethod(lambda cls, _model: cls)})

    ModelAdmin = bracketed(admin.ModelAdmin)
    Paginator = bracketed(paginator.Paginator)
    ModelForm = bracketed(forms.ModelForm)
