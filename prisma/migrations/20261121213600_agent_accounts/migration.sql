-- CreateTable
CREATE TABLE "AgentAccount" (
    "id" TEXT NOT NULL,
    "workspaceId" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "activeName" TEXT,
    "protocol" TEXT NOT NULL,
    "baseUrl" TEXT NOT NULL,
    "credential" TEXT NOT NULL,
    "sealed" TEXT,
    "keyEnd" TEXT,
    "keyAt" TIMESTAMPTZ(3),
    "models" JSONB,
    "offered" JSONB,
    "image" TEXT,
    "binary" TEXT,
    "createdById" TEXT NOT NULL,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "lastUsedAt" TIMESTAMPTZ(3),
    "archivedAt" TIMESTAMPTZ(3),

    CONSTRAINT "AgentAccount_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "AgentAccount_workspaceId_name_idx" ON "AgentAccount"("workspaceId", "name");

-- CreateIndex
CREATE UNIQUE INDEX "AgentAccount_workspaceId_activeName_key" ON "AgentAccount"("workspaceId", "activeName");
