-- AlterTable
ALTER TABLE "Identity" ADD COLUMN     "affiliation" TEXT,
ADD COLUMN     "organisation" TEXT;

-- AlterTable
ALTER TABLE "Channel" ADD COLUMN     "externalRole" TEXT;

-- CreateTable
CREATE TABLE "Invite" (
    "id" TEXT NOT NULL,
    "workspaceId" TEXT NOT NULL,
    "codeHash" TEXT NOT NULL,
    "role" TEXT NOT NULL,
    "projectId" TEXT,
    "folderId" TEXT,
    "label" TEXT,
    "createdById" TEXT NOT NULL,
    "createdAt" TIMESTAMPTZ(3) NOT NULL,
    "expiresAt" TIMESTAMPTZ(3) NOT NULL,
    "usedById" TEXT,
    "usedAt" TIMESTAMPTZ(3),
    "revokedById" TEXT,
    "revokedAt" TIMESTAMPTZ(3),

    CONSTRAINT "Invite_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "OwnerTransfer" (
    "id" TEXT NOT NULL,
    "workspaceId" TEXT NOT NULL,
    "fromId" TEXT NOT NULL,
    "toId" TEXT NOT NULL,
    "keeps" TEXT,
    "state" TEXT NOT NULL,
    "fromSide" JSONB NOT NULL,
    "createdAt" TIMESTAMPTZ(3) NOT NULL,
    "expiresAt" TIMESTAMPTZ(3) NOT NULL,
    "endedAt" TIMESTAMPTZ(3),

    CONSTRAINT "OwnerTransfer_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "Invite_codeHash_key" ON "Invite"("codeHash");

-- CreateIndex
CREATE INDEX "Invite_workspaceId_createdAt_idx" ON "Invite"("workspaceId", "createdAt");

-- CreateIndex
CREATE INDEX "Invite_createdById_idx" ON "Invite"("createdById");

-- CreateIndex
CREATE INDEX "OwnerTransfer_workspaceId_state_idx" ON "OwnerTransfer"("workspaceId", "state");

-- CreateIndex
CREATE INDEX "OwnerTransfer_fromId_idx" ON "OwnerTransfer"("fromId");
