-- AlterTable
ALTER TABLE "Interaction" ADD COLUMN     "approvals" JSONB;
