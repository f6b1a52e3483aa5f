-- AlterTable
ALTER TABLE "PullRequest" ADD COLUMN     "failures" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "lookAt" TIMESTAMPTZ(3) DEFAULT CURRENT_TIMESTAMP,
ADD COLUMN     "problem" TEXT;

-- CreateTable
CREATE TABLE "PullErrand" (
    "id" TEXT NOT NULL,
    "workspaceId" TEXT NOT NULL,
    "pullId" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "state" TEXT NOT NULL DEFAULT 'pending',
    "head" TEXT NOT NULL,
    "by" JSONB NOT NULL,
    "originKey" TEXT NOT NULL,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "dueAt" TIMESTAMPTZ(3) NOT NULL,
    "problem" TEXT,
    "createdAt" TIMESTAMPTZ(3) NOT NULL,
    "endedAt" TIMESTAMPTZ(3),

    CONSTRAINT "PullErrand_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "PullErrand_pullId_idx" ON "PullErrand"("pullId");

-- CreateIndex
CREATE INDEX "PullErrand_state_dueAt_idx" ON "PullErrand"("state", "dueAt");

-- CreateIndex
CREATE UNIQUE INDEX "PullErrand_workspaceId_originKey_key" ON "PullErrand"("workspaceId", "originKey");

-- CreateIndex
CREATE INDEX "PullRequest_lookAt_idx" ON "PullRequest"("lookAt");

-- CreateIndex
CREATE INDEX "PullRequest_repository_head_idx" ON "PullRequest"("repository", "head");

-- AddForeignKey
ALTER TABLE "PullErrand" ADD CONSTRAINT "PullErrand_pullId_fkey" FOREIGN KEY ("pullId") REFERENCES "PullRequest"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
