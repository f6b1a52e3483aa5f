-- AlterTable
ALTER TABLE "Run" ADD COLUMN     "traceparent" TEXT;

-- AlterTable
ALTER TABLE "Inbox" ADD COLUMN     "traceparent" TEXT;

-- AlterTable
ALTER TABLE "Outbox" ADD COLUMN     "traceparent" TEXT;
