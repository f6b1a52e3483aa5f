-- AlterTable
ALTER TABLE "Task" ADD COLUMN     "issue" TEXT;

-- CreateTable
CREATE TABLE "Publication" (
    "id" TEXT NOT NULL,
    "workspaceId" TEXT NOT NULL,
    "projectId" TEXT NOT NULL,
    "taskId" TEXT NOT NULL,
    "runId" TEXT NOT NULL,
    "hostId" TEXT NOT NULL,
    "what" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "remote" TEXT NOT NULL,
    "branch" TEXT NOT NULL,
    "baseBranch" TEXT NOT NULL,
    "base" TEXT NOT NULL,
    "commit" TEXT NOT NULL,
    "tree" TEXT NOT NULL,
    "expectedRemote" TEXT,
    "pushedAt" TIMESTAMPTZ(3),
    "url" TEXT,
    "interactionId" TEXT NOT NULL,
    "requestedById" TEXT NOT NULL,
    "origin" JSONB,
    "error" JSONB,
    "pullRequestId" TEXT,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "dueAt" TIMESTAMPTZ(3) NOT NULL,
    "runnerId" TEXT,
    "createdAt" TIMESTAMPTZ(3) NOT NULL,
    "endedAt" TIMESTAMPTZ(3),

    CONSTRAINT "Publication_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "PullRequest" (
    "id" TEXT NOT NULL,
    "workspaceId" TEXT NOT NULL,
    "projectId" TEXT NOT NULL,
    "taskId" TEXT NOT NULL,
    "runId" TEXT NOT NULL,
    "repository" TEXT NOT NULL,
    "number" INTEGER NOT NULL,
    "facts" JSONB NOT NULL,
    "state" TEXT NOT NULL,
    "head" TEXT NOT NULL,
    "told" JSONB NOT NULL DEFAULT '{}',
    "createdAt" TIMESTAMPTZ(3) NOT NULL,
    "updatedAt" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "PullRequest_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "Publication_interactionId_key" ON "Publication"("interactionId");

-- CreateIndex
CREATE INDEX "Publication_taskId_createdAt_idx" ON "Publication"("taskId", "createdAt");

-- CreateIndex
CREATE INDEX "Publication_hostId_state_dueAt_idx" ON "Publication"("hostId", "state", "dueAt");

-- CreateIndex
CREATE INDEX "PullRequest_taskId_idx" ON "PullRequest"("taskId");

-- CreateIndex
CREATE INDEX "PullRequest_state_updatedAt_idx" ON "PullRequest"("state", "updatedAt");

-- CreateIndex
CREATE UNIQUE INDEX "PullRequest_workspaceId_repository_number_key" ON "PullRequest"("workspaceId", "repository", "number");

-- AddForeignKey
ALTER TABLE "Publication" ADD CONSTRAINT "Publication_taskId_fkey" FOREIGN KEY ("taskId") REFERENCES "Task"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "PullRequest" ADD CONSTRAINT "PullRequest_taskId_fkey" FOREIGN KEY ("taskId") REFERENCES "Task"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
