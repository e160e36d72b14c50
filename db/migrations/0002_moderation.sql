CREATE TABLE "moderation" (
	"app" text collate "C" NOT NULL,
	"channel_id" text collate "C" NOT NULL,
	"mode" text NOT NULL,
	"blocked" jsonb NOT NULL,
	"allowed" jsonb NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "moderation_app_channel_id_pk" PRIMARY KEY("app","channel_id")
);
--> statement-breakpoint
ALTER TABLE "events" ADD COLUMN "moderation" text;--> statement-breakpoint
ALTER TABLE "events" ADD COLUMN "sent_hash" bigint;