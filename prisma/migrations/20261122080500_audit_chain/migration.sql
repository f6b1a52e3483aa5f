-- AlterTable
ALTER TABLE "Audit" ADD COLUMN     "hash" TEXT,
ADD COLUMN     "prev" TEXT,
ADD COLUMN     "seq" BIGINT,
ADD COLUMN     "via" JSONB;

-- CreateTable
CREATE TABLE "AuditChain" (
    "workspaceId" TEXT NOT NULL,
    "seq" BIGINT NOT NULL,
    "hash" TEXT NOT NULL,
    "signature" TEXT,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "earlier" TEXT,

    CONSTRAINT "AuditChain_pkey" PRIMARY KEY ("workspaceId")
);

-- CreateIndex
CREATE UNIQUE INDEX "Audit_workspaceId_seq_key" ON "Audit"("workspaceId", "seq");

-- By hand
-- What is there was written before there were chains. It is chained first, and the chain says so.
INSERT INTO "AuditChain" ("workspaceId", "seq", "hash", "earlier")
SELECT "workspaceId", 0, repeat('0', 64), max("id") FROM "Audit" GROUP BY "workspaceId";
