"""What the columns of files are called: in the exports of the shops we know, and in any other.

Shops append columns and choose them, so one vocabulary serves all formats. The few that need
more than that are told apart by headers that nobody else has. All names here are as `columns.plain`
compares them: letters and digits, without case, accents, blanks and punctuation.
"""

# In the order of preference: what is found in the first here is told first.
EMAIL = tuple(
    """
    email emailaddress mail mailaddress primaryemail email1 email1value email1address
    primaryemailaddress customeremail customeremailaddress billingemail billingemailaddress
    contactemail useremail personalemail homeemail workemail businessemail email2 email2value
    email2address email3 email3value email3address email4value email5value secondaryemail
    secondaryemailaddress alternateemail alternativeemail otheremail emails emailaddresses
    additionalemails additionalemailaddresses otheremails
    emailprivat emailgeschaftlich emailgeschaeftlich emailarbeit
    emailadresse mailadresse adresseemail adressemail adressecourriel
    adressedecourriel adresseelectronique courriel courrielelectronique
    correo correoelectronico direcciondecorreo direcciondecorreoelectronico direccionemail
    indirizzoemail indirizzomail indirizzodipostaelettronica postaelettronica
    emailadres mailadres enderecodeemail enderecoemail correioeletronico enderecoeletronico
    """.split()
)
PHONE = tuple(
    """
    phone phonenumber phone1 phone1value primaryphone primaryphonenumber
    defaultaddressphone billingphone billingphonenumber customerphone customerphonenumber
    contactphone contactphonenumber userphone
    mobilephonenumber mobilephone mobilenumber mobile mobilephone2 cellphone cellphonenumber
    cell cellular telephone telephonenumber tel telephone1 telno phoneno mobileno
    whatsapp whatsappnumber whatsappphonenumber
    homephone homephonenumber homephone2 workphone workphonenumber businessphone
    businessphonenumber businessphone2 otherphone otherphonenumber phone2 phone2value phone3
    phone3value phone4value phone5value telephone2 secondaryphone alternatephone phones
    phonenumbers additionalphonenumbers otherphonenumbers
    telefon telefonnummer telefonnr telnr telefon1 telefon2 rufnummer handy handynummer handynr
    mobil mobilnr mobilnummer mobiltelefon mobiltelefonnummer mobilfunknummer
    festnetz festnetznummer
    telefonprivat privattelefon telefongeschaftlich telefongeschaeftlich telefonmobil
    numerodetelephone notelephone ndetelephone telephoneportable telephonemobile telephonefixe
    portable numerodeportable telportable telmobile
    telefono numerodetelefono telefonomovil movil numerodemovil celular telefonocelular
    telefonofijo numerodecelular telefono1 telefono2
    numeroditelefono cellulare numerodicellulare numerocellulare telefonocellulare
    telefoon telefoonnummer telefoonnr mobiel mobielnummer mobielenummer mobieletelefoon gsm
    gsmnummer telefone numerodetelefone telemovel numerodetelemovel telefonecelular
    telefonemovel
    """.split()
)
"""Not among them: the phone an order is shipped to, which is often somebody else's, and that of a
whole company."""
CREATED_AT = tuple(
    """
    createdat created createdutc createdate createddate createdon createtime createdtime
    creationdate creationtime datecreated timecreated profilecreatedon customercreatedat
    signup signupdate signedupat signedup registered registeredat registeredon registrationdate
    dateregistered userregistered customersince membersince joined joinedat joindate datejoined
    dateadded addedat addedon optintime confirmtime firstseen firstseenat firstvisit
    firstorderdate orderdate orderedat orderedon purchasedate dateoforder
    erstelltam erstellt erstellungsdatum angelegtam anlagedatum registriertam registriertseit
    registrierungsdatum kundeseit bestelldatum bestelltam
    creele cree datedecreation datecreation dateinscription datedinscription inscritle
    datedecommande datecommande
    fechadecreacion fechacreacion creadoel creado fechaderegistro fecharegistro fechadealta
    fechadepedido datadicreazione datacreazione creatoil datadiregistrazione dataregistrazione
    dataordine aangemaaktop aanmaakdatum registratiedatum klantsinds besteldatum
    datadecriacao criadoem dataderegistro dataderegisto datadecadastro datadopedido
    """.split()
)
COUNTRY = tuple(
    """
    defaultaddresscountrycode countrycode countryiso countryiso2 countryisocode
    billingcountrycode billingcountry defaultaddresscountry countryregion country
    addresscountry address1country mailingcountrycode mailingcountry homecountryregion
    homecountry businesscountryregion businesscountry cc
    land landercode landeskennzeichen landercodeiso pays codepays pais codigodepais codigopais
    paese nazione codicepaese landcode
    """.split()
)
REFERENCE = {
    "Shopify customers": ("customerid",),
    "WooCommerce customers": ("username",),
    "Stripe customers": ("id",),
    "HubSpot contacts": ("recordid", "recordidcontact"),
    "Mailchimp audience": ("leid",),
    "Klaviyo profiles": ("klaviyoid",),
    "Salesforce contacts": ("contactid", "contactid18", "id"),
    "Salesforce leads": ("leadid", "id"),
    "Zendesk users": ("id", "externalid"),
    "Square customers": ("squarecustomerid", "referenceid"),
    "plain": (
        *("reference", "customerid", "customernumber", "customerno", "customernr", "clientid"),
        *("contactid", "userid", "memberid", "externalid", "kundennummer", "kundennr"),
        *("numeroclient", "numerocliente", "idcliente", "codicecliente", "klantnummer"),
    ),
}
"""What each format calls its customers by. A Shopify order's number is no customer's."""
NAME = (
    ("firstname", "lastname"),
    ("givenname", "familyname"),
    ("forename", "surname"),
    ("vorname", "nachname"),
    ("prenom", "nom"),
    ("nombre", "apellidos"),
    ("nombre", "apellido"),
    ("nome", "cognome"),
    ("nome", "sobrenome"),
    ("nome", "apelido"),
    ("voornaam", "achternaam"),
    *((name,) for name in ("name", "billingname", "fullname", "customername", "contactname")),
    *((name,) for name in ("displayname", "kundenname", "nomcomplet", "nombrecompleto")),
    *((name,) for name in ("nomecompleto", "nomecognome", "volledigenaam", "naam")),
    *((name,) for name in ("lastname", "firstname", "nachname", "nombre", "nome", "nom")),
)
"""The columns that hold a name together; the first of these that a file has whole."""
FORMATS: tuple[tuple[str, frozenset[str]], ...] = (
    ("Shopify orders", frozenset({"name", "financialstatus", "lineitemname"})),
    ("Shopify customers", frozenset({"acceptsemailmarketing", "taxexempt"})),
    ("WooCommerce customers", frozenset({"signup", "aov"})),
    ("Square customers", frozenset({"squarecustomerid"})),
    ("Zendesk users", frozenset({"id", "externalid", "sharedphonenumber"})),
    ("Zendesk users", frozenset({"id", "suspended", "lastsignin"})),
    ("Zendesk users", frozenset({"externalid", "restriction", "brand"})),
    ("Salesforce contacts", frozenset({"masterrecordid", "accountid"})),
    ("Salesforce contacts", frozenset({"contactid", "accountname"})),
    ("Salesforce contacts", frozenset({"accountname", "contactowner"})),
    ("Salesforce contacts", frozenset({"accountname", "mailingstreet"})),
    ("Salesforce leads", frozenset({"masterrecordid", "convertedcontactid"})),
    ("Salesforce leads", frozenset({"leadid", "leadowner"})),
    ("Outlook contacts", frozenset({"emailaddress", "businessphone", "homephone"})),
    ("Outlook contacts", frozenset({"emailadresse", "telefongeschaftlich", "telefonprivat"})),
    ("Google contacts", frozenset({"email1value", "phone1value"})),
    ("Google contacts", frozenset({"email1value", "familyname"})),
    ("Google contacts", frozenset({"email1value", "lastname"})),
    ("Stripe customers", frozenset({"id", "createdutc"})),
    ("HubSpot contacts", frozenset({"recordid"})),
    ("HubSpot contacts", frozenset({"recordidcontact"})),
    ("Mailchimp audience", frozenset({"emailaddress", "memberrating"})),
    ("Klaviyo profiles", frozenset({"klaviyoid"})),
)
"""The name of each format we know, and headers that only it has together."""
