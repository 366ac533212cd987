/* Draw the documentation of the endpoints. The key somebody types is kept nowhere. */
const place = document.getElementById("endpoints");

SwaggerUIBundle({
  domNode: place,
  url: place.dataset.specification,
  presets: [SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
  defaultModelsExpandDepth: 0,
  docExpansion: "list",
  displayRequestDuration: true,
  validatorUrl: null,
});

/* What it draws without a name, or where the keyboard does not get to. */
const MISSING = [
  // Its headings begin a level too low for a page with one heading of its own.
  ["h3, h4, h5", "aria-level", (heading) => Number(heading.tagName[1]) - 1],
  [".body-param textarea", "aria-label", () => "Request body"],
  ["tr[data-param-name] :is(input, textarea, select)", "aria-label", (field) => field.closest("tr").dataset.paramName],
  [".microlight", "tabindex", () => 0],
  [".copy-to-clipboard button", "aria-label", () => "Copy"],
  [".close-modal", "aria-label", () => "Close"],
  [".info", "role", () => "region"],
  [".info", "aria-label", () => "How to call"],
  [".modal-ux", "role", () => "dialog"],
  [".modal-ux", "aria-label", () => "Keys"],
  ["[id$=_responses]", "aria-label", (list) => `Responses of ${list.id.replace(/_responses$/, "").replaceAll("_", " ")}`],
];

function mend() {
  for (const [where, attribute, value] of MISSING) {
    for (const found of place.querySelectorAll(`:is(${where}):not([${attribute}])`)) {
      found.setAttribute(attribute, value(found));
    }
  }
}

new MutationObserver(mend).observe(place, { childList: true, subtree: true });
