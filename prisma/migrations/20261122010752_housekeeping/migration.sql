-- AlterTable
ALTER TABLE "Task" ADD COLUMN     "baseStand" JSONB,
ADD COLUMN     "commitsRemovedAt" TIMESTAMPTZ(3);

-- AlterTable
ALTER TABLE "Artifact" ADD COLUMN     "removedAt" TIMESTAMPTZ(3);

-- CreateTable
CREATE TABLE "Holding" (
    "hostId" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "subject" TEXT NOT NULL,
    "workspaceId" TEXT NOT NULL,
    "projectId" TEXT NOT NULL,
    "bytes" BIGINT,
    "since" TIMESTAMPTZ(3) NOT NULL,
    "measuredAt" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "Holding_pkey" PRIMARY KEY ("hostId","kind","subject")
);

-- CreateTable
CREATE TABLE "HostDisk" (
    "hostId" TEXT NOT NULL,
    "keptBytes" BIGINT NOT NULL,
    "freeBytes" BIGINT NOT NULL,
    "quotaBytes" BIGINT,
    "measuredAt" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "HostDisk_pkey" PRIMARY KEY ("hostId")
);

-- CreateTable
CREATE TABLE "PruneOrder" (
    "id" TEXT NOT NULL,
    "workspaceId" TEXT NOT NULL,
    "requestedBy" TEXT NOT NULL,
    "cardKey" TEXT NOT NULL,
    "waiting" TEXT[],
    "freed" JSONB NOT NULL,
    "createdAt" TIMESTAMPTZ(3) NOT NULL,
    "endedAt" TIMESTAMPTZ(3),

    CONSTRAINT "PruneOrder_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "Holding_workspaceId_idx" ON "Holding"("workspaceId");

-- CreateIndex
CREATE INDEX "PruneOrder_endedAt_idx" ON "PruneOrder"("endedAt");

-- CreateIndex
CREATE UNIQUE INDEX "PruneOrder_workspaceId_cardKey_key" ON "PruneOrder"("workspaceId", "cardKey");
