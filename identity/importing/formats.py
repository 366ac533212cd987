"""What the columns of files are called: in the exports of the shops we know, and in any other.

Shops append columns and choose them, so one vocabulary serves all formats. The few that need
more than that are told apart by headers that nobody else has.
"""

# In the order of preference: what is found in the first here is told first.
EMAIL = ("email", "email address", "e mail", "e mail address", "mail")
PHONE = (
    "phone",
    "phone number",
    "phonenumber",
    "default address phone",
    "billing phone",
    "mobile phone number",
    "mobile phone",
    "mobile number",
    "mobile",
    "telephone",
    "telephone number",
    "tel",
    "cell phone",
)
"""Not among them: the phone an order is shipped to, which is often somebody else's."""
CREATED_AT = (
    "created at",
    "createdat",
    "created",
    "created (utc)",
    "create date",
    "date created",
    "sign up",
    "profile created on",
    "date added",
    "optin time",
    "confirm time",
)
COUNTRY = (
    "default address country code",
    "country code",
    "billing country",
    "country / region",
    "country/region",
    "country",
    "cc",
)
REFERENCE = {
    "Shopify customers": ("customer id",),
    "WooCommerce customers": ("username",),
    "Stripe customers": ("id",),
    "HubSpot contacts": ("record id",),
    "Mailchimp audience": ("leid",),
    "Klaviyo profiles": ("klaviyo id",),
    "plain": ("reference",),
}
"""What each format calls its records by. A Shopify order's number is no customer's."""
NAME = ("first name", "last name"), ("name",), ("billing name",), ("full name",)
"""The columns that hold a name together; the first of these that a file has whole."""
FORMATS: tuple[tuple[str, frozenset[str]], ...] = (
    ("Shopify orders", frozenset({"name", "financial status", "lineitem name"})),
    ("Shopify customers", frozenset({"accepts email marketing", "tax exempt"})),
    ("WooCommerce customers", frozenset({"sign up", "aov"})),
    ("Stripe customers", frozenset({"id", "created (utc)"})),
    ("HubSpot contacts", frozenset({"record id"})),
    ("Mailchimp audience", frozenset({"email address", "member rating"})),
    ("Klaviyo profiles", frozenset({"klaviyo id"})),
)
"""The name of each format we know, and headers that only it has together."""
