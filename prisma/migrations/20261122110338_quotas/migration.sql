-- AlterTable
ALTER TABLE "Run" ADD COLUMN     "notBefore" TIMESTAMPTZ(3),
ADD COLUMN     "timedUntil" TIMESTAMPTZ(3);

-- CreateTable
CREATE TABLE "Quota" (
    "id" TEXT NOT NULL,
    "workspaceId" TEXT NOT NULL,
    "scope" TEXT NOT NULL,
    "subjectId" TEXT NOT NULL,
    "measure" TEXT NOT NULL,
    "per" TEXT NOT NULL,
    "limit" DOUBLE PRECISION NOT NULL,
    "createdById" TEXT NOT NULL,
    "createdAt" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "Quota_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Consumption" (
    "quotaId" TEXT NOT NULL,
    "since" TIMESTAMPTZ(3) NOT NULL,
    "workspaceId" TEXT NOT NULL,
    "value" DOUBLE PRECISION NOT NULL,
    "extra" DOUBLE PRECISION NOT NULL DEFAULT 0,

    CONSTRAINT "Consumption_pkey" PRIMARY KEY ("quotaId","since")
);

-- CreateIndex
CREATE INDEX "Quota_workspaceId_measure_idx" ON "Quota"("workspaceId", "measure");

-- CreateIndex
CREATE UNIQUE INDEX "Quota_workspaceId_scope_subjectId_measure_per_key" ON "Quota"("workspaceId", "scope", "subjectId", "measure", "per");

-- CreateIndex
CREATE INDEX "Consumption_since_idx" ON "Consumption"("since");
