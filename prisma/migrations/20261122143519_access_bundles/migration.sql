-- AlterTable
ALTER TABLE "Channel" ADD COLUMN     "bundleId" TEXT;

-- CreateTable
CREATE TABLE "AccessBundle" (
    "id" TEXT NOT NULL,
    "workspaceId" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "permissions" TEXT[],
    "agents" TEXT[],
    "accounts" TEXT[],
    "hosts" TEXT[],
    "createdById" TEXT NOT NULL,
    "createdAt" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "AccessBundle_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "AccessBundle_workspaceId_key_key" ON "AccessBundle"("workspaceId", "key");

-- CreateIndex
CREATE INDEX "Channel_bundleId_idx" ON "Channel"("bundleId");

-- AddForeignKey
ALTER TABLE "AccessBundle" ADD CONSTRAINT "AccessBundle_workspaceId_fkey" FOREIGN KEY ("workspaceId") REFERENCES "Workspace"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Channel" ADD CONSTRAINT "Channel_bundleId_fkey" FOREIGN KEY ("bundleId") REFERENCES "AccessBundle"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
