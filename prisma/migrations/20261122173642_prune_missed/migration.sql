-- AlterTable
ALTER TABLE "PruneOrder" ADD COLUMN     "missed" TEXT[] DEFAULT ARRAY[]::TEXT[];
