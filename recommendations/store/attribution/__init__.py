"""Attribution of what customers did to the slates that led there."""
