import { defineConfig } from "drizzle-kit";

/** For `npm run db:generate` only; migrations are applied by `npm run db:migrate`. */
export default defineConfig({ dialect: "postgresql", schema: "./db/schema.ts", out: "./db/migrations" });
