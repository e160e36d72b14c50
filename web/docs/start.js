/* global SwaggerUIBundle */
// A file of its own, because the page allows no inline script. Nothing is asked of any other host, and tokens that
// somebody tries requests with are forgotten with the page.
SwaggerUIBundle({
  url: "/api/chats/openapi.json",
  dom_id: "#docs",
  deepLinking: true,
  persistAuthorization: false,
  validatorUrl: "none",
});
