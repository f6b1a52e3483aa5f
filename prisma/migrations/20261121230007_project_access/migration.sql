-- AlterTable
ALTER TABLE "Project" ADD COLUMN     "access" JSONB,
ADD COLUMN     "accessWanted" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "cardKey" TEXT;
