-- AlterTable
ALTER TABLE "Run" ADD COLUMN     "rebase" TEXT;
