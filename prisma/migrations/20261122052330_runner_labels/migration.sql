-- AlterTable
ALTER TABLE "Task" ADD COLUMN     "runsOn" TEXT NOT NULL DEFAULT '';

-- AlterTable
ALTER TABLE "Run" ADD COLUMN     "placedOn" TEXT,
ADD COLUMN     "runsOn" TEXT NOT NULL DEFAULT '';

-- AlterTable
ALTER TABLE "Runner" ADD COLUMN     "drainingAt" TIMESTAMPTZ(3),
ADD COLUMN     "labels" TEXT NOT NULL DEFAULT '';
