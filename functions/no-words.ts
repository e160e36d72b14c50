/** What `#words` is in the Worker. An empty function is one whose calls the bundler takes out, with all that is said in them. */
export function words(): void {}
