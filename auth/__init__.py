"""Who is logged in, and who may do what."""

from auth.login_manager import init_login_manager

__all__ = ["init_login_manager"]
