-- AlterTable
ALTER TABLE "Task" ADD COLUMN     "store" TEXT;

-- AlterTable
ALTER TABLE "Runner" ADD COLUMN     "drainAskedAt" TIMESTAMPTZ(3),
ADD COLUMN     "store" TEXT NOT NULL DEFAULT '';

-- AlterTable
ALTER TABLE "Outbox" ADD COLUMN     "claims" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "shownAnew" INTEGER NOT NULL DEFAULT 0;

-- CreateTable
CREATE TABLE "LeaseTerm" (
    "name" TEXT NOT NULL,
    "term" INTEGER NOT NULL,

    CONSTRAINT "LeaseTerm_pkey" PRIMARY KEY ("name")
);
