"""Django's classes that take their model in brackets for the type checker, and only for it."""

from typing import TYPE_CHECKING

from django import forms
from django.contrib import admin
from django.contrib.auth import admin as auth_admin
from django.contrib.auth import forms as auth_forms
from django.core import paginator

__all__ = ["AdminPasswordChangeForm", "BaseUserCreationForm", "ModelAdmin", "ModelForm", "Paginator", "UserAdmin"]

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin
    from django.contrib.auth.admin import UserAdmin
    from django.contrib.auth.forms import AdminPasswordChangeForm, BaseUserCreationForm
    from django.core.paginator import Paginator
    from django.forms import ModelForm
else:

    def bracketed(kind: type) -> type:
        """A subclass of ``kind`` by the same name, whose brackets do nothing."""
        return type(kind)(kind.__name__, (kind,), {"__class_getitem__": classmethod(lambda cls, _model: cls)})

    ModelAdmin = bracketed(admin.ModelAdmin)
    UserAdmin = bracketed(auth_admin.UserAdmin)
    AdminPasswordChangeForm = bracketed(auth_forms.AdminPasswordChangeForm)
    BaseUserCreationForm = bracketed(auth_forms.BaseUserCreationForm)
    Paginator = bracketed(paginator.Paginator)
    ModelForm = bracketed(forms.ModelForm)
