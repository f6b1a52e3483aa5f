-- AlterTable
ALTER TABLE "Task" ADD COLUMN     "attempts" INTEGER,
ADD COLUMN     "chosenRunId" TEXT,
ADD COLUMN     "comparison" TEXT;

-- AlterTable
ALTER TABLE "Run" ADD COLUMN     "head" TEXT,
ADD COLUMN     "session" JSONB,
ADD COLUMN     "variant" INTEGER;
