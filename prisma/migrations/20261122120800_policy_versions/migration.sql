-- AlterTable
ALTER TABLE "Interaction" ALTER COLUMN "expiresAt" DROP NOT NULL;

-- CreateTable
CREATE TABLE "PolicyVersion" (
    "projectId" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "workspaceId" TEXT NOT NULL,
    "policy" JSONB NOT NULL,
    "byId" TEXT,
    "at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "PolicyVersion_pkey" PRIMARY KEY ("projectId","version")
);

-- CreateTable
CREATE TABLE "CodeOwner" (
    "workspaceId" TEXT NOT NULL,
    "owner" TEXT NOT NULL,
    "people" TEXT[],
    "teams" TEXT[],
    "byId" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "CodeOwner_pkey" PRIMARY KEY ("workspaceId","owner")
);

-- CreateIndex
CREATE INDEX "PolicyVersion_workspaceId_idx" ON "PolicyVersion"("workspaceId");

-- By hand
INSERT INTO "PolicyVersion" ("projectId", "version", "workspaceId", "policy", "byId", "at")
SELECT DISTINCT ON (p."id", (a."data"->>'version')::int) p."id", (a."data"->>'version')::int, p."workspaceId", a."data"->'to', a."actorId", a."at"
FROM "Audit" a JOIN "Project" p ON p."id" = a."subject" AND p."workspaceId" = a."workspaceId"
WHERE a."action" = 'project.policy' AND jsonb_typeof(a."data"->'version') = 'number' AND a."data"->'to' IS NOT NULL
ORDER BY p."id", (a."data"->>'version')::int, a."at"
ON CONFLICT DO NOTHING;

INSERT INTO "PolicyVersion" ("projectId", "version", "workspaceId", "policy", "byId", "at")
SELECT "id", "policyVersion", "workspaceId", "policy", NULL, "createdAt" FROM "Project"
ON CONFLICT DO NOTHING;
