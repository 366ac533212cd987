"""What people see: HTML, forms, and files to take away."""

from identity.web.pages import (
    account,  # noqa: F401
    activity,  # noqa: F401
    adding,  # noqa: F401
    applying,  # noqa: F401
    audit,  # noqa: F401
    customer,  # noqa: F401
    customers,  # noqa: F401
    disclosing,  # noqa: F401
    docs,  # noqa: F401
    downloads,  # noqa: F401
    erasing,  # noqa: F401
    home,  # noqa: F401
    import_pages,  # noqa: F401
    import_plan,  # noqa: F401
    import_reading,  # noqa: F401
    record,  # noqa: F401
    report,  # noqa: F401
    review,  # noqa: F401
    ruling_pages,  # noqa: F401
    searching,  # noqa: F401
    signing,  # noqa: F401
    users,  # noqa: F401
    webhooks,  # noqa: F401
)
