CREATE TABLE "bans" (
	"app" text collate "C" NOT NULL,
	"channel_id" text collate "C" NOT NULL,
	"user_id" text collate "C" NOT NULL,
	"kind" text NOT NULL,
	"until" timestamp (3) with time zone,
	"reason" text,
	"created_by" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "bans_app_channel_id_user_id_pk" PRIMARY KEY("app","channel_id","user_id")
);
--> statement-breakpoint
CREATE TABLE "restrictions" (
	"app" text collate "C" NOT NULL,
	"user_id" text collate "C" NOT NULL,
	"revoked_before" timestamp (3) with time zone,
	"banned_at" timestamp (3) with time zone,
	"banned_until" timestamp (3) with time zone,
	"banned_by" text,
	"ban_reason" text,
	CONSTRAINT "restrictions_app_user_id_pk" PRIMARY KEY("app","user_id")
);
