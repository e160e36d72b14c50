export { browserStorage } from "./browser-storage.ts";
export { keepIn } from "./kept.ts";
