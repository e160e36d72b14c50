import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { StatusPage } from "./status-page.tsx";

const root = document.querySelector("#root");
if (root === null) throw new Error("The document has no #root");
createRoot(root).render(
  <StrictMode>
    <StatusPage />
  </StrictMode>,
);
