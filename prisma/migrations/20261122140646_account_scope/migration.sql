-- DropIndex
DROP INDEX "Task_projectId_idx";

-- AlterTable
ALTER TABLE "Project" ADD COLUMN     "loginUsedAt" TIMESTAMPTZ(3);

-- AlterTable
ALTER TABLE "CountedRequest" ADD COLUMN     "quotas" TEXT[] DEFAULT ARRAY[]::TEXT[];

-- AlterTable
ALTER TABLE "Consumption" ADD COLUMN     "warnedAt" TIMESTAMPTZ(3);

-- AlterTable
ALTER TABLE "AgentAccount" ADD COLUMN     "projectId" TEXT;

-- CreateIndex
CREATE INDEX "Task_projectId_id_idx" ON "Task"("projectId", "id");
