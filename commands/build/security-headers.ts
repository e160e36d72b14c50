/** What the page may talk to besides its own origin: the local issuer, a party host. */
export interface PageAccess {
  connect: readonly string[];
  /** Where Clerk signs people in: its script comes from there. */
  clerk?: string | undefined;
}

const PAGE = ["/*", "/api/chats/docs*"] as const;

/** The `_headers` file of the static pages, in Cloudflare's format. A later rule takes back what an earlier one set. */
export function formatHeaders(access: PageAccess): string {
  return `${PAGE[0]}
  Content-Security-Policy: ${policy(access)}
  Strict-Transport-Security: max-age=31536000; includeSubDomains
  X-Content-Type-Options: nosniff
  X-Frame-Options: DENY
  Referrer-Policy: no-referrer
  Permissions-Policy: camera=(), geolocation=(), microphone=(), payment=(), usb=()
  Cross-Origin-Opener-Policy: same-origin
  Cross-Origin-Resource-Policy: same-origin
${PAGE[1]}
  ! Content-Security-Policy
  Content-Security-Policy: ${policy({ connect: [], inlineStyles: true })}
`;
}

/** @param inlineStyles Swagger UI sets style attributes, and shows icons from data addresses. */
function policy({ connect, clerk, inlineStyles = false }: PageAccess & { inlineStyles?: boolean }): string {
  const origins = clerk === undefined ? [] : [clerk];
  return [
    "default-src 'none'",
    ["script-src 'self'", ...origins].join(" "),
    // Clerk's script keeps its session alive from a worker that it makes itself.
    ...(clerk === undefined ? [] : ["worker-src 'self' blob:"]),
    `style-src 'self'${inlineStyles ? " 'unsafe-inline'" : ""}`,
    "img-src 'self' data:",
    "font-src 'self'",
    ["connect-src 'self'", ...connect, ...origins].join(" "),
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}
