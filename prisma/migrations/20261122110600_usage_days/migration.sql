-- CreateTable
CREATE TABLE "UsageDay" (
    "workspaceId" TEXT NOT NULL,
    "day" DATE NOT NULL,
    "projectId" TEXT NOT NULL,
    "userId" TEXT NOT NULL,
    "channelId" TEXT NOT NULL,
    "agent" TEXT NOT NULL,
    "model" TEXT NOT NULL,
    "requests" INTEGER NOT NULL DEFAULT 0,
    "unpriced" INTEGER NOT NULL DEFAULT 0,
    "input" BIGINT NOT NULL DEFAULT 0,
    "output" BIGINT NOT NULL DEFAULT 0,
    "cacheRead" BIGINT NOT NULL DEFAULT 0,
    "cacheWrite" BIGINT NOT NULL DEFAULT 0,
    "costUsd" DOUBLE PRECISION NOT NULL DEFAULT 0,

    CONSTRAINT "UsageDay_pkey" PRIMARY KEY ("workspaceId","day","projectId","userId","channelId","agent","model")
);

-- By hand
-- What was used before this table was there, as far as logs tell it.
INSERT INTO "UsageDay" ("workspaceId", "day", "projectId", "userId", "channelId", "agent", "model", "requests", "unpriced", "input", "output",
  "cacheRead", "cacheWrite", "costUsd")
SELECT r."workspaceId", (e."at" AT TIME ZONE 'UTC')::date, r."projectId", r."requestedById",
  coalesce((SELECT t."channelId" FROM "Thread" t WHERE t."taskId" = r."taskId" ORDER BY t."createdAt", t."id" LIMIT 1), ''),
  coalesce(r."agent"->>'agent', ''), left(e."data"->>'model', 100), count(*), count(*) FILTER (WHERE e."data"->>'costUsd' IS NULL),
  sum((e."data"->>'input')::bigint), sum((e."data"->>'output')::bigint), sum((e."data"->>'cacheRead')::bigint),
  sum((e."data"->>'cacheWrite')::bigint), coalesce(sum((e."data"->>'costUsd')::float8), 0)
FROM "RunEvent" e JOIN "Run" r ON r."id" = e."runId"
WHERE e."type" = 'usage'
GROUP BY 1, 2, 3, 4, 5, 6, 7;
