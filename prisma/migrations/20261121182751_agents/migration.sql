-- DropIndex
DROP INDEX "Interaction_runId_idx";

-- AlterTable
ALTER TABLE "Project" ADD COLUMN     "agent" JSONB;

-- AlterTable
ALTER TABLE "Task" ADD COLUMN     "agent" JSONB,
ADD COLUMN     "budgetUsd" DOUBLE PRECISION,
ADD COLUMN     "forkedFromId" TEXT,
ADD COLUMN     "session" JSONB,
ADD COLUMN     "spentUsd" DOUBLE PRECISION NOT NULL DEFAULT 0;

-- AlterTable
ALTER TABLE "Run" ADD COLUMN     "agent" JSONB,
ADD COLUMN     "cacheReadTokens" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN     "cacheWriteTokens" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN     "context" TEXT,
ADD COLUMN     "costUsd" DOUBLE PRECISION NOT NULL DEFAULT 0,
ADD COLUMN     "files" JSONB NOT NULL DEFAULT '[]',
ADD COLUMN     "harnessState" JSONB,
ADD COLUMN     "image" TEXT,
ADD COLUMN     "inputTokens" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN     "lastInput" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "lastMail" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "lastStep" TEXT,
ADD COLUMN     "life" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "mailSeq" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "originKey" TEXT,
ADD COLUMN     "outputTokens" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN     "prompt" TEXT,
ADD COLUMN     "released" BOOLEAN NOT NULL DEFAULT false;

-- AlterTable
ALTER TABLE "Interaction" ADD COLUMN     "answers" JSONB,
ADD COLUMN     "ask" TEXT,
ADD COLUMN     "choice" TEXT,
ADD COLUMN     "life" INTEGER NOT NULL DEFAULT 0;

-- AlterTable
ALTER TABLE "Rule" ADD COLUMN     "place" TEXT;

-- CreateTable
CREATE TABLE "RunMail" (
    "runId" TEXT NOT NULL,
    "seq" INTEGER NOT NULL,
    "workspaceId" TEXT NOT NULL,
    "data" JSONB NOT NULL,
    "origin" TEXT,
    "state" TEXT,
    "userId" TEXT,
    "interactionId" TEXT,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "givenAt" TIMESTAMPTZ(3),

    CONSTRAINT "RunMail_pkey" PRIMARY KEY ("runId","seq")
);

-- CreateTable
CREATE TABLE "RunInput" (
    "runId" TEXT NOT NULL,
    "seq" INTEGER NOT NULL,
    "data" JSONB NOT NULL,

    CONSTRAINT "RunInput_pkey" PRIMARY KEY ("runId","seq")
);

-- CreateIndex
CREATE INDEX "RunMail_workspaceId_origin_idx" ON "RunMail"("workspaceId", "origin");

-- CreateIndex
CREATE UNIQUE INDEX "RunMail_runId_origin_key" ON "RunMail"("runId", "origin");

-- CreateIndex
CREATE UNIQUE INDEX "Run_taskId_originKey_key" ON "Run"("taskId", "originKey");

-- CreateIndex
CREATE UNIQUE INDEX "Interaction_runId_life_ask_key" ON "Interaction"("runId", "life", "ask");

-- AddForeignKey
ALTER TABLE "RunMail" ADD CONSTRAINT "RunMail_runId_fkey" FOREIGN KEY ("runId") REFERENCES "Run"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "RunInput" ADD CONSTRAINT "RunInput_runId_fkey" FOREIGN KEY ("runId") REFERENCES "Run"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
