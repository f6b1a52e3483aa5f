-- AlterTable
ALTER TABLE "Outbox" ADD COLUMN     "attemptedSlot" TEXT,
ADD COLUMN     "calls" JSONB NOT NULL DEFAULT '[]',
ADD COLUMN     "degraded" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "parts" JSONB NOT NULL DEFAULT '[]';
