/** Milliseconds since 1970. */
export type Now = () => number;
