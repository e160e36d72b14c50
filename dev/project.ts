import { join } from "node:path";

/** The folder that has package.json. */
export const PROJECT_DIR = join(import.meta.dirname, "..");
