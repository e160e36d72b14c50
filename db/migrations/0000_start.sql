CREATE TABLE "api_keys" (
	"id" text collate "C" PRIMARY KEY NOT NULL,
	"app" text collate "C" NOT NULL,
	"environment" text NOT NULL,
	"hash" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"revoked_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "channels" (
	"app" text collate "C" NOT NULL,
	"id" text collate "C" NOT NULL,
	"type" text NOT NULL,
	"name" text NOT NULL,
	"created_by" text NOT NULL,
	"custom" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"epoch" text,
	"head_seq" bigint DEFAULT 0 NOT NULL,
	CONSTRAINT "channels_app_id_pk" PRIMARY KEY("app","id")
);
--> statement-breakpoint
CREATE TABLE "events" (
	"app" text collate "C" NOT NULL,
	"channel_id" text collate "C" NOT NULL,
	"seq" bigint NOT NULL,
	"epoch" text NOT NULL,
	"kind" text NOT NULL,
	"id" text NOT NULL,
	"user_id" text collate "C" NOT NULL,
	"username" text NOT NULL,
	"client_message_id" text collate "C",
	"content" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "events_app_channel_id_seq_pk" PRIMARY KEY("app","channel_id","seq")
);
--> statement-breakpoint
CREATE TABLE "members" (
	"app" text collate "C" NOT NULL,
	"channel_id" text collate "C" NOT NULL,
	"user_id" text collate "C" NOT NULL,
	"role" text NOT NULL,
	"read_seq" bigint DEFAULT 0 NOT NULL,
	"joined_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "members_app_channel_id_user_id_pk" PRIMARY KEY("app","channel_id","user_id")
);
--> statement-breakpoint
CREATE TABLE "users" (
	"app" text collate "C" NOT NULL,
	"id" text collate "C" NOT NULL,
	"name" text NOT NULL,
	"image" text,
	"custom" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "users_app_id_pk" PRIMARY KEY("app","id")
);
--> statement-breakpoint
CREATE INDEX "api_keys_of_app" ON "api_keys" USING btree ("app");--> statement-breakpoint
CREATE UNIQUE INDEX "events_client_message" ON "events" USING btree ("app","channel_id","user_id","client_message_id") WHERE client_message_id is not null;--> statement-breakpoint
CREATE INDEX "members_of_user" ON "members" USING btree ("app","user_id","channel_id");