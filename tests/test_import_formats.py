"""Which columns of a file hold what, by the headers of those that people bring."""

import pytest

from identity.errors import InvalidInput
from identity.importing.columns import Chosen, Column, choose
from identity.importing.formats import COUNTRY, CREATED_AT, EMAIL, FORMATS, NAME, PHONE, REFERENCE

SALESFORCE = (
    "Id,IsDeleted,MasterRecordId,AccountId,LastName,FirstName,Salutation,Name,MailingStreet,"
    "MailingCity,MailingState,MailingPostalCode,MailingCountry,Phone,Fax,MobilePhone,HomePhone,"
    "OtherPhone,AssistantPhone,ReportsToId,Email,Title,Department,OwnerId,CreatedDate,CreatedById,"
    "LastModifiedDate"
)
SALESFORCE_REPORT = (
    "Salutation,First Name,Last Name,Title,Account Name,Mailing Street,Mailing City,"
    "Mailing Country,Phone,Mobile,Fax,Email,Account Owner,Contact ID,Created Date"
)
ZENDESK = (
    "id,url,name,email,created_at,updated_at,time_zone,iana_time_zone,phone,shared_phone_number,"
    "photo,locale_id,locale,organization_id,role,verified,external_id,tags,alias,active"
)
ZENDESK_TEMPLATE = "name,email,external_id,details,notes,phone,role,restriction,organization,brand"
ZENDESK_TEAM = (
    "ID,Name,Email,Suspended,Date created,Last updated,Last sign-in,Time zone,Language,Groups"
)
SQUARE = (
    "Reference ID,First Name,Last Name,Email Address,Phone Number,Nickname,Company Name,"
    "Street Address 1,Street Address 2,City,State,Postal Code,Birthday,Memo,Square Customer ID,"
    "Creation Source,First Visit,Last Visit,Transaction Count,Lifetime Spend,"
    "Email Subscription Status,Instant Profile"
)
OUTLOOK = (
    "First Name,Middle Name,Last Name,Title,Suffix,Web Page,Birthday,Anniversary,Notes,"
    "E-mail Address,E-mail 2 Address,E-mail 3 Address,Primary Phone,Home Phone,Home Phone 2,"
    "Mobile Phone,Pager,Home Fax,Home Street,Home City,Home Country/Region,Company Main Phone,"
    "Business Phone,Business Phone 2,Business Fax,Assistant's Phone,Company,Job Title"
)
OUTLOOK_GERMAN = (
    "Anrede,Vorname,Nachname,Firma,Telefon geschäftlich,Telefon privat,Mobiltelefon,E-Mail-Adresse"
)
GOOGLE = (
    "First Name,Middle Name,Last Name,Nickname,File As,Organization Name,Birthday,Notes,Labels,"
    "E-mail 1 - Label,E-mail 1 - Value,E-mail 2 - Label,E-mail 2 - Value,Phone 1 - Label,"
    "Phone 1 - Value,Address 1 - Label,Address 1 - Country"
)
GOOGLE_OLD = (
    "Name,Given Name,Additional Name,Family Name,Birthday,E-mail 1 - Type,E-mail 1 - Value,"
    "Phone 1 - Type,Phone 1 - Value"
)
HUBSPOT = (
    "Record ID - Contact,First Name,Last Name,Email,Additional email addresses,Phone Number,"
    "Mobile Phone Number,Lead Status,Create Date"
)


@pytest.mark.parametrize(
    ("header", "format_", "read"),
    [
        (SALESFORCE, "Salesforce contacts",
         "Email|Phone,MobilePhone,HomePhone,OtherPhone|CreatedDate|MailingCountry|Id"
         "|FirstName,LastName"),
        (SALESFORCE_REPORT, "Salesforce contacts",
         "Email|Phone,Mobile|Created Date|Mailing Country|Contact ID|First Name,Last Name"),
        (ZENDESK, "Zendesk users", "email|phone|created_at||id|name"),
        (ZENDESK_TEMPLATE, "Zendesk users", "email|phone|||external_id|name"),
        (ZENDESK_TEAM, "Zendesk users", "Email||Date created||ID|Name"),
        (SQUARE, "Square customers",
         "Email Address|Phone Number|First Visit||Square Customer ID|First Name,Last Name"),
        (OUTLOOK, "Outlook contacts",
         "E-mail Address,E-mail 2 Address,E-mail 3 Address"
         "|Primary Phone,Mobile Phone,Home Phone,Home Phone 2,Business Phone,Business Phone 2"
         "||Home Country/Region||First Name,Last Name"),
        (OUTLOOK_GERMAN, "Outlook contacts",
         "E-Mail-Adresse|Mobiltelefon,Telefon privat,Telefon geschäftlich||||Vorname,Nachname"),
        (GOOGLE, "Google contacts",
         "E-mail 1 - Value,E-mail 2 - Value|Phone 1 - Value||Address 1 - Country||"
         "First Name,Last Name"),
        (GOOGLE_OLD, "Google contacts",
         "E-mail 1 - Value|Phone 1 - Value||||Given Name,Family Name"),
        (HUBSPOT, "HubSpot contacts",
         "Email,Additional email addresses|Phone Number,Mobile Phone Number|Create Date||"
         "Record ID - Contact|First Name,Last Name"),
        ("Kundennummer,Vorname,Nachname,E-Mail-Adresse,Telefonnummer,Handy,Land,Erstellt am",
         "plain", "E-Mail-Adresse|Telefonnummer,Handy|Erstellt am|Land|Kundennummer"
         "|Vorname,Nachname"),
        ("Prénom,Nom,Adresse e-mail,Téléphone,Pays,Date d'inscription", "plain",
         "Adresse e-mail|Téléphone|Date d'inscription|Pays||Prénom,Nom"),
        ("Nombre,Apellidos,Correo electrónico,Teléfono móvil,País,Fecha de creación", "plain",
         "Correo electrónico|Teléfono móvil|Fecha de creación|País||Nombre,Apellidos"),
        ("Nome,Cognome,Indirizzo e-mail,Cellulare,Paese,Data di creazione", "plain",
         "Indirizzo e-mail|Cellulare|Data di creazione|Paese||Nome,Cognome"),
        ("Voornaam,Achternaam,E-mailadres,Telefoonnummer,Land,Aangemaakt op", "plain",
         "E-mailadres|Telefoonnummer|Aangemaakt op|Land||Voornaam,Achternaam"),
        ("Nome,Sobrenome,Endereço de e-mail,Celular,País,Criado em", "plain",
         "Endereço de e-mail|Celular|Criado em|País||Nome,Sobrenome"),
        ("billing_email,Business Phone,createdate", "plain",
         "billing_email|Business Phone|createdate|||"),
        ("EMAIL *,PhoneNumber,order_date", "plain", "EMAIL *|PhoneNumber|order_date|||"),
    ],
)  # fmt: skip
def test_real_headers_are_read(header: str, format_: str, read: str) -> None:
    columns = choose(header.split(","))

    reference = [columns.reference] if columns.reference else []
    parts = columns.emails, columns.phones, columns.created_at, columns.country, reference
    assert columns.format == format_
    assert "|".join(",".join(each.name for each in part) for part in (*parts, columns.name)) == read


def test_each_name_has_one_meaning() -> None:
    kinds = [set(EMAIL), set(PHONE), set(CREATED_AT), set(COUNTRY)]
    kinds += [{name for names in NAME for name in names}]
    everything = [name for kind in kinds for name in kind]

    assert len(everything) == len(set(everything))
    assert set(REFERENCE) - {"plain"} <= {name for name, _ in FORMATS}


def test_a_column_that_is_named_exactly_is_the_one_that_is_meant() -> None:
    header = ["E-Mail", "Email", "e_mail"]

    assert choose(header, Chosen(email=["Email"])).emails == (Column(1, "Email"),)
    assert len(choose(header, Chosen(email=["EMAIL"])).emails) == 3
    with pytest.raises(InvalidInput, match="has no column “Mails”"):
        choose(header, Chosen(email=["Mails"]))
