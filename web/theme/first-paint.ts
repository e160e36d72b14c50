// A script of its own that blocks the first paint, so that who chose dark is not shown a white flash first. The same key
// and attribute as in theme.ts: an import would make this a module, and modules wait.
const chosen = localStorage.getItem("parley.theme");
if (chosen === "light" || chosen === "dark") document.documentElement.dataset["theme"] = chosen;
