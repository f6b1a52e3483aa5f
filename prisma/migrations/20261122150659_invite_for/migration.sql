-- AlterTable
ALTER TABLE "Invite" ADD COLUMN     "forId" TEXT;
