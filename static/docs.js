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
