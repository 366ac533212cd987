"""The forms. What a field may hold is decided by `identifiers` and `importing`, not here."""

from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired, MultipleFileField
from wtforms import PasswordField, StringField

from identity.errors import InvalidInput
from identity.identifiers import Identifiers


class AddForm(FlaskForm):  # type: ignore[misc]
    """An email and a phone number, to be added."""

    email = StringField("Email")
    phone_number = StringField("Phone number")

    def identifiers(self, region: str | None) -> Identifiers | None:
        """Return what was typed; None when it cannot be used, with the fields saying why."""
        if not self.validate_on_submit():
            return None
        try:
            return Identifiers.parse(self.email.data, self.phone_number.data, region=region)
        except InvalidInput as problem:
            self.tell(problem)
            return None

    def tell(self, problem: InvalidInput) -> None:
        """Say beside each field what is wrong with it."""
        for name, field in (("email", self.email), ("phoneNumber", self.phone_number)):
            field.errors = [problem.fields[name]] if name in problem.fields else []


class ImportForm(FlaskForm):  # type: ignore[misc]
    """A file of customers."""

    file = FileField("File", validators=[FileRequired("Choose a file.")])
    source = StringField("Source")


class OrdersForm(FlaskForm):  # type: ignore[misc]
    """Files of orders."""

    files = MultipleFileField("Orders", validators=[FileRequired("Choose a file.")])


class UserForm(FlaskForm):  # type: ignore[misc]
    """Somebody who is to sign in."""

    user = StringField("Name")
    password = PasswordField("Password")
    role = StringField("Role")


class PasswordForm(FlaskForm):  # type: ignore[misc]
    """The password that somebody has, and another one."""

    current = PasswordField("Password now")
    new = PasswordField("New password")


class SignInForm(FlaskForm):  # type: ignore[misc]
    """A name, where users have one, and a password."""

    user = StringField("Name")
    password = PasswordField("Password")
