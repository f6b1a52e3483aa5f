-- AlterTable
ALTER TABLE "User" ADD COLUMN     "aloneRole" TEXT,
ADD COLUMN     "kin" TEXT,
ADD COLUMN     "linkedToId" TEXT,
ADD COLUMN     "notify" JSONB,
ADD COLUMN     "quietToldAt" TIMESTAMPTZ(3);

-- AlterTable
ALTER TABLE "Identity" ADD COLUMN     "homeUserId" TEXT;

-- CreateTable
CREATE TABLE "LinkCode" (
    "id" TEXT NOT NULL,
    "workspaceId" TEXT NOT NULL,
    "hash" TEXT NOT NULL,
    "state" TEXT NOT NULL DEFAULT 'open',
    "platform" TEXT NOT NULL,
    "tenant" TEXT NOT NULL,
    "account" TEXT NOT NULL,
    "conversation" JSONB NOT NULL,
    "otherPlatform" TEXT,
    "otherTenant" TEXT,
    "otherAccount" TEXT,
    "otherConversation" JSONB,
    "createdAt" TIMESTAMPTZ(3) NOT NULL,
    "expiresAt" TIMESTAMPTZ(3) NOT NULL,
    "endedAt" TIMESTAMPTZ(3),

    CONSTRAINT "LinkCode_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "LinkCode_workspaceId_platform_tenant_account_createdAt_idx" ON "LinkCode"("workspaceId", "platform", "tenant", "account", "createdAt");

-- CreateIndex
CREATE UNIQUE INDEX "LinkCode_workspaceId_hash_key" ON "LinkCode"("workspaceId", "hash");

-- CreateIndex
CREATE INDEX "User_kin_idx" ON "User"("kin");

-- CreateIndex
CREATE INDEX "User_linkedToId_idx" ON "User"("linkedToId");

-- AddForeignKey
ALTER TABLE "User" ADD CONSTRAINT "User_linkedToId_fkey" FOREIGN KEY ("linkedToId") REFERENCES "User"("id") ON DELETE SET NULL ON UPDATE CASCADE;
