-- CreateTable
CREATE TABLE "AttachedFile" (
    "id" TEXT NOT NULL,
    "workspaceId" TEXT NOT NULL,
    "runId" TEXT NOT NULL,
    "place" INTEGER NOT NULL,
    "came" TEXT NOT NULL,
    "origin" TEXT,
    "source" JSONB NOT NULL,
    "key" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "mime" TEXT,
    "bytes" BIGINT,
    "by" TEXT NOT NULL,
    "trust" TEXT,
    "state" TEXT NOT NULL DEFAULT 'pending',
    "problem" TEXT,
    "artifactId" TEXT,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "dueAt" TIMESTAMPTZ(3) NOT NULL,
    "giveUpAt" TIMESTAMPTZ(3) NOT NULL,
    "toldAt" TIMESTAMPTZ(3),
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "AttachedFile_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "AttachedFile_state_dueAt_idx" ON "AttachedFile"("state", "dueAt");

-- CreateIndex
CREATE UNIQUE INDEX "AttachedFile_runId_key_key" ON "AttachedFile"("runId", "key");

-- AddForeignKey
ALTER TABLE "AttachedFile" ADD CONSTRAINT "AttachedFile_runId_fkey" FOREIGN KEY ("runId") REFERENCES "Run"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
